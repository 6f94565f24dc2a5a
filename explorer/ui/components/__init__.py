"""What pages share: figures, pickers of nets and pictures, widgets bound to the URL, texts and links."""
