package cluster

import (
	"encoding/base64"
	"fmt"
	"os"
)

// writeKubeconfig writes a kubeconfig with everything embedded.
func writeKubeconfig(d layout, path, server, holder string) error {
	var enc [3]string
	for i, f := range []string{"ca.crt", holder + ".crt", holder + ".key"} {
		b, err := os.ReadFile(d.pki(f))
		if err != nil {
			return err
		}
		enc[i] = base64.StdEncoding.EncodeToString(b)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: lab
contexts:
- name: lab
  context: {cluster: lab, user: %[2]s, namespace: default}
clusters:
- name: lab
  cluster:
    server: %[1]s
    certificate-authority-data: %[3]s
users:
- name: %[2]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
`, server, holder, enc[0], enc[1], enc[2])
	return os.WriteFile(path, []byte(text), 0o600)
}

// writeKubeconfigs writes one for the user, at the forwarded port, and one for
// each component, at the API server itself.
func writeKubeconfigs(d layout, hostPort int, nodes []node) error {
	if err := writeKubeconfig(d, d.path("kubeconfig"), fmt.Sprintf("https://127.0.0.1:%d", hostPort), "admin"); err != nil {
		return err
	}
	inside := fmt.Sprintf("https://%s:%d", gateway, apiPort)
	holders := []string{"admin", "controller-manager", "scheduler"}
	for _, n := range nodes {
		holders = append(holders, n.name)
	}
	for _, h := range holders {
		if err := writeKubeconfig(d, d.path(h+".kubeconfig"), inside, h); err != nil {
			return err
		}
	}
	return nil
}
