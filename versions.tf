terraform {
  # 1.9: a validation may refer to other variables.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.100.0, the last 5.x, is the release that the tests run. 6.x is admitted on reading: its schema has every name
      # used here (docs/versions.md), and its upgrade guide
      # (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade)
      # changes none of them. The Region is read as `id`, which both have (`name` is deprecated in 6.x).
      version = ">= 5.100, < 7"
    }
  }
}
