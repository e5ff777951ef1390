"""The only place that imports Ray: trials are placed on machines, and started again when one is lost."""
