"""What a choice among targets rests on: what each can do and how it stands, who stays where, what the task is."""
