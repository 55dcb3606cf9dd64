// Stand-in until the room is furnished.
