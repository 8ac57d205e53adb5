"""What operators ask and tell the running gateway: paths under ``/admin/``."""
