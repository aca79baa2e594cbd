# The module's block is gone, and what it registered is unregistered on the way. Takes over the state of ../caller.
# Only `self` and the environment are known here: ekm-register must be installed, for path.module is not to be had.

removed {
  from = module.ekm.module.registration.terraform_data.guard

  lifecycle {
    destroy = true
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["ekm-register", "--retire", "--delete-record"]
    command     = "unregister ${self.input.name} from OpenAI (record ${self.input.record})"
    environment = {
      EKM_ROLE_ARN       = self.input.role_arn
      EKM_KMS_ARN        = self.input.kms_arn
      EKM_EXTERNAL_ID    = self.input.external_id
      EKM_NAME           = self.input.name
      EKM_RECORD         = self.input.record
      EKM_WAIT_SECONDS   = self.input.wait_seconds
      EKM_ADMIN_KEY_FROM = self.input.admin_key_from
      OPENAI_BASE_URL    = self.input.base_url
      AWS_REGION         = self.input.region
      AWS_DEFAULT_REGION = self.input.region
    }
  }
}
