"""What machines ask of a hub: metrics, health and readiness over HTTP."""
