terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7" # the root module's versions.tf says why

      # IAM's events arrive in us-east-1 alone. For a key in us-east-1 both are one provider.
      configuration_aliases = [aws.us_east_1]
    }
  }
}
