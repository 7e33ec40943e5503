"""The service that validates, normalises and enriches what capture heard."""
