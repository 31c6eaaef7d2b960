"""The only room that knows litellm: which endpoint a model means, asking it, and what its errors mean for the audit."""
