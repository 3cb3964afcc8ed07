"""What goes out, where and when: stories, slots, cadence, import and export."""
