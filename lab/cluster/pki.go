package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

// authority signs certificates; its own is in a file.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// identity is what a certificate says about its holder.
type identity struct {
	cn    string
	org   []string
	names []string // DNS names
	ips   []string
}

// writePKI makes every key and certificate of a lab. Each lab has its own
// authority, so a kubeconfig of one never opens another.
func writePKI(d layout, nodes []node) error {
	if err := os.MkdirAll(d.path("pki"), 0o700); err != nil {
		return err
	}
	ca, err := newAuthority(d, "ca", "unjam lab")
	if err != nil {
		return err
	}
	front, err := newAuthority(d, "front-ca", "unjam lab front proxy")
	if err != nil {
		return err
	}
	if err := front.issue(d, "front-client", identity{cn: "front-proxy-client"}); err != nil {
		return err
	}
	holders := map[string]identity{
		"apiserver": {
			cn: "kube-apiserver", ips: []string{"127.0.0.1", gateway, "10.96.0.1"},
			names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		},
		"admin":              {cn: "lab-admin", org: []string{"system:masters"}},
		"controller-manager": {cn: "system:kube-controller-manager"},
		"scheduler":          {cn: "system:kube-scheduler"},
		"kubelet-client":     {cn: "kube-apiserver-kubelet-client", org: []string{"system:masters"}},
	}
	for _, n := range nodes {
		// One certificate serves the kubelet as client and as server.
		holders[n.name] = identity{cn: "system:node:" + n.name, org: []string{"system:nodes"}, names: []string{n.name}, ips: []string{n.ip().String()}}
	}
	for file, id := range holders {
		if err := ca.issue(d, file, id); err != nil {
			return err
		}
	}
	return writeServiceAccountKeys(d)
}

func newAuthority(d layout, file, cn string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template(identity{cn: cn})
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = nil
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert, key}, writePair(d, file, der, key)
}

func (a *authority) issue(d layout, file string, id identity) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template(id), a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePair(d, file, der, key)
}

func template(id identity) *x509.Certificate {
	// A serial number must be unique within its authority (RFC 5280, 4.1.2.2).
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		serial = big.NewInt(time.Now().UnixNano())
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: id.cn, Organization: id.org},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:     id.names,
	}
	for _, ip := range id.ips {
		t.IPAddresses = append(t.IPAddresses, net.ParseIP(ip))
	}
	return t
}

func writePair(d layout, file string, der []byte, key crypto.PrivateKey) error {
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(d.pki(file+".key"), "PRIVATE KEY", b); err != nil {
		return err
	}
	return writePEM(d.pki(file+".crt"), "CERTIFICATE", der)
}

// writeServiceAccountKeys makes the pair that signs ServiceAccount tokens.
func writeServiceAccountKeys(d layout) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	if err := writePEM(d.pki("sa.key"), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)); err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(d.pki("sa.pub"), "PUBLIC KEY", pub)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
