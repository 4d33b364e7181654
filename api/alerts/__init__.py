"""Alerts: rules over what the service measures, judged all the time, told once, delivered until heard."""
