"""The whole: Terraform, LocalStack, the emulator, the launcher, the demo."""
