"""The interactive page: one offline HTML file that opens with what was found, then shows the three sources."""
