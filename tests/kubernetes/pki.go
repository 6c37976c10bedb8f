// Certificates: a cluster's own authority, and what its servers and its administrator need from it.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// What lies in a folder of certificates: ca.crt, server.crt, server.key, admin.crt, admin.key.
type pki struct{ folder string }

func (p pki) path(name string) string { return filepath.Join(p.folder, name) }

func (p pki) read(name string) ([]byte, error) { return os.ReadFile(p.path(name)) }

// Makes an authority, also ca.key, and everything signed by it.
func newPki(folder string) (pki, error) {
	p := pki{folder}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return p, err
	}
	key, err := newKey(p.path("ca.key"))
	if err != nil {
		return p, err
	}
	ca := template(pkix.Name{CommonName: "test-ca"})
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	if err := sign(ca, ca, &key.PublicKey, key, p.path("ca.crt")); err != nil {
		return p, err
	}
	server := template(pkix.Name{CommonName: "kube-apiserver"})
	server.DNSNames = []string{"localhost", "kubernetes"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	admin := template(pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}})
	admin.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for name, certificate := range map[string]*x509.Certificate{"server": server, "admin": admin} {
		own, err := newKey(p.path(name + ".key"))
		if err != nil {
			return p, err
		}
		if err := sign(certificate, ca, &own.PublicKey, key, p.path(name+".crt")); err != nil {
			return p, err
		}
	}
	return p, nil
}

// The administrator's kubeconfig.
func (p pki) kubeconfig(url string) ([]byte, error) {
	encoded := map[string]string{}
	for _, name := range []string{"ca.crt", "admin.crt", "admin.key"} {
		text, err := p.read(name)
		if err != nil {
			return nil, err
		}
		encoded[name] = base64.StdEncoding.EncodeToString(text)
	}
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "%s", certificate-authority-data: %s}}]
users: [{name: admin, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
`, url, encoded["ca.crt"], encoded["admin.crt"], encoded["admin.key"]), nil
}

func template(subject pkix.Name) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		fail(err.Error())
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: subject,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0),
	}
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePem(path, "PRIVATE KEY", der)
}

// The key of service accounts, in the only form in which Kubernetes finds its public half.
func newAccountsKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePem(path, "EC PRIVATE KEY", der)
}

func sign(certificate, by *x509.Certificate, key *ecdsa.PublicKey, byKey *ecdsa.PrivateKey, path string) error {
	der, err := x509.CreateCertificate(rand.Reader, certificate, by, key, byKey)
	if err != nil {
		return err
	}
	return writePem(path, "CERTIFICATE", der)
}

func writePem(path, label string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0o600)
}
