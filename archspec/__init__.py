"""archspec."""
