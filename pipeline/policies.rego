# Rules of your own on the module's output `policies`, for conftest:
#
#   terraform show -json ekm.tfplan > plan.json
#   conftest test --policy policies.rego plan.json
#
# They see one plan and the shape of its statements. `ekm prove` sees every request.
package main

import rego.v1

# The root must have: output "ekm_policies" { value = module.ekm.policies }
policies := input.planned_values.outputs.ekm_policies.value

deny contains "The plan has no output ekm_policies: add output \"ekm_policies\" { value = module.ekm.policies }." if {
	not input.planned_values.outputs.ekm_policies.value
}

deny contains message if {
	some statement in policies.key_policy.Statement
	statement.Effect == "Allow"
	some action in as_list(statement.Action)
	action in {"*", "kms:*"}
	message := sprintf("The key policy allows %s in statement %s: name the actions.", [action, sid(statement)])
}

deny contains message if {
	some statement in policies.trust_policy.Statement
	statement.Effect == "Allow"
	not statement.Condition.StringEquals["sts:ExternalId"]
	message := sprintf("The trust policy asks for no external id in statement %s: add the condition.", [sid(statement)])
}

as_list(value) := value if is_array(value)

as_list(value) := [value] if not is_array(value)

sid(statement) := object.get(statement, "Sid", "without a Sid")
