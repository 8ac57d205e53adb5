"""What a choice among targets rests on: what each can do and how it stands, who stays where, what kind of task it is."""
