"""One run of the function: observe, settle, plan, act, follow, report. The only room that waits."""
