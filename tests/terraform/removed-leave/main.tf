# The module's block is gone; everything stays as it is, at OpenAI and in AWS. Takes over the state of ../caller.

removed {
  from = module.ekm

  lifecycle {
    destroy = false
  }
}
