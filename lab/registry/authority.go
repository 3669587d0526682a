package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs the certificates of the lab's registries and webhooks. Nodes
// trust it only for hosts whose entry in Hosts carries it.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// PEM is the authority's own certificate.
	PEM []byte
}

const (
	authorityCert = "ca.crt"
	authorityKey  = "ca.key"
)

// LoadAuthority reads the authority kept in dir, or makes one and keeps it
// there, so that node configuration printed before the start stays right.
func LoadAuthority(dir string) (*Authority, error) {
	certPEM, err := os.ReadFile(filepath.Join(dir, authorityCert))
	if errors.Is(err, fs.ErrNotExist) {
		return storeAuthority(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read lab authority: %w", err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, authorityKey))
	if err != nil {
		return nil, fmt.Errorf("read lab authority key: %w", err)
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("lab authority in %s is not PEM; remove the directory to make a new one", dir)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse lab authority: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse lab authority key: %w", err)
	}
	return &Authority{cert: cert, key: key, PEM: certPEM}, nil
}

func storeAuthority(dir string) (*Authority, error) {
	a, err := NewAuthority()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("encode lab authority key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("keep lab authority: %w", err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, authorityKey), keyPEM, 0o600); err != nil {
		return nil, fmt.Errorf("keep lab authority: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, authorityCert), a.PEM, 0o644); err != nil {
		return nil, fmt.Errorf("keep lab authority: %w", err)
	}
	return a, nil
}

// NewAuthority makes an authority that lives in memory only.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "unjam lab authority"},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(10 * 365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{cert: cert, key: key, PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, nil
}

// certificate describes one server certificate.
type certificate struct {
	hosts      []string
	from, to   time.Duration // validity relative to now
	selfSigned bool
}

// Issue makes a certificate for the given names, valid from yesterday for a year.
func (a *Authority) Issue(hosts ...string) (*tls.Certificate, error) {
	return a.issue(certificate{hosts: hosts, from: -24 * time.Hour, to: 365 * 24 * time.Hour})
}

func (a *Authority) issue(c certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: c.hosts[0]},
		NotBefore: now.Add(c.from), NotAfter: now.Add(c.to),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range c.hosts {
		if ip := net.ParseIP(h); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, h)
		}
	}
	parent, signer := a.cert, a.key
	if c.selfSigned {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
