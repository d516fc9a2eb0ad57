# Rules of a house over what Flowbridge opens. `flowbridge opa sites/ -o flowbridge.json`, then
# `opa eval --fail-defined -d flowbridge.json -d site.rego 'data.site.deny[_]'`.
package site

import rego.v1

deny contains message if {
	some name, deployment in data.flowbridge.deployments
	some open in deployment.exposure
	open.risk == "management"
	message := sprintf("%s: %s opens %s %v to the internet", [name, open.interface, open.protocol, open.ports])
}

deny contains message if {
	some name, deployment in data.flowbridge.deployments
	some finding in deployment.findings
	finding.severity == "warning"
	finding.accepted == null
	message := sprintf("%s: %s is not accepted by anyone", [name, finding.id])
}
