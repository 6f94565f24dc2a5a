"""The pages of the section Why: experiments that a visitor does by hand."""
