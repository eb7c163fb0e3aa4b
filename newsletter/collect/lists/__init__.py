"""Pages and maps that list articles without being feeds: listing pages by their structure, sitemaps. Pure."""
