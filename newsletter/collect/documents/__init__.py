"""Files as articles: txt, md, html, docx, pdf. Strange formats are read by a bounded child process."""
