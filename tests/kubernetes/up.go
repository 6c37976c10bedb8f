// `kube up`: a whole control plane on loopback, with free ports and fresh state, for as long as its standard input is open.
//
//	kube up --dir DIR [--pki DIR] [--nodes 2]
//
// Once it is ready it prints one line of JSON: where it is, and its processes. A line on standard input, the path of a
// folder of certificates, has it served with those from then on (the state stays); that is answered by another such line.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type controlPlane struct {
	folder    string
	pki       pki
	port      int // the API server's
	etcd      string
	peer      string
	processes map[string]*exec.Cmd
}

func up() {
	folder := flag.String("dir", "", "where state, logs and the kubeconfig go; emptied first")
	certificates := flag.String("pki", "", "a folder with ca.crt, server.crt, server.key, admin.crt and admin.key")
	nodes := flag.Int("nodes", 2, "how many nodes")
	flag.Parse()
	if *folder == "" {
		fail("--dir is needed")
	}
	var plane *controlPlane
	var err error
	// A port that was free may be taken by the time that it is used.
	for range 3 {
		if plane, err = start(*folder, *certificates, *nodes); err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		fail(err.Error())
	}
	defer plane.stop()
	plane.tell()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); plane.tell() {
		if err := plane.serve(pki{lines.Text()}); err != nil {
			plane.stop()
			fail(err.Error())
		}
	}
}

func start(folder, certificates string, nodes int) (*controlPlane, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	p := &controlPlane{folder: folder, port: ports[0], processes: map[string]*exec.Cmd{}}
	p.etcd, p.peer = fmt.Sprintf("http://127.0.0.1:%d", ports[1]), fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	own := pki{certificates}
	if certificates == "" {
		if own, err = newPki(p.path("pki")); err != nil {
			return nil, err
		}
	}
	if err := newAccountsKey(p.path("accounts.key")); err != nil {
		return nil, err
	}
	stages, err := sources.ReadFile("stages.yaml")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.path("stages.yaml"), stages, 0o600); err != nil {
		return nil, err
	}
	err = p.run("etcd", "--data-dir", p.path("etcd"), "--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", p.etcd, "--advertise-client-urls", p.etcd,
		"--listen-peer-urls", p.peer, "--initial-advertise-peer-urls", p.peer, "--initial-cluster", "default="+p.peer)
	if err == nil {
		err = p.serve(own)
	}
	if err == nil {
		err = p.join(nodes)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// Everything that depends on certificates, started with these; what ran before ends.
func (p *controlPlane) serve(certificates pki) error {
	names := []string{"kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver"}
	for _, name := range names {
		p.end(name)
	}
	p.pki = certificates
	kubeconfig, err := certificates.kubeconfig(p.url())
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path("kubeconfig"), kubeconfig, 0o600); err != nil {
		return err
	}
	err = p.run("kube-apiserver", "--etcd-servers", p.etcd, "--etcd-prefix", "/test",
		"--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", fmt.Sprint(p.port),
		"--tls-cert-file", p.pki.path("server.crt"), "--tls-private-key-file", p.pki.path("server.key"),
		"--client-ca-file", p.pki.path("ca.crt"), "--authorization-mode", "RBAC",
		"--service-account-key-file", p.path("accounts.key"), "--service-account-signing-key-file", p.path("accounts.key"),
		"--service-account-issuer", p.url(), "--service-cluster-ip-range", "10.0.0.0/24",
		"--endpoint-reconciler-type", "none", "--cert-dir", p.folder)
	if err != nil {
		return err
	}
	err = p.wait("the API server", "kube-apiserver", func() bool {
		status, _ := p.ask(http.MethodGet, "/readyz", nil)
		return status == http.StatusOK
	})
	if err != nil {
		return err
	}
	kubectl := []string{"--kubeconfig", p.path("kubeconfig")}
	local := append([]string{"--leader-elect=false", "--bind-address", "127.0.0.1", "--secure-port", "0"}, kubectl...)
	manager := append([]string{"--service-account-private-key-file", p.path("accounts.key"),
		"--root-ca-file", p.pki.path("ca.crt"), "--use-service-account-credentials=false"}, local...)
	if _, err := os.Stat(p.pki.path("ca.key")); err == nil {
		// Then approved CertificateSigningRequests are signed too.
		manager = append(manager, "--cluster-signing-cert-file", p.pki.path("ca.crt"), "--cluster-signing-key-file", p.pki.path("ca.key"))
	}
	err = p.run("kube-controller-manager", manager...)
	if err == nil {
		err = p.run("kube-scheduler", local...)
	}
	if err == nil {
		err = p.run("kwok", append([]string{"--config", p.path("stages.yaml"), "--manage-all-nodes=true",
			"--node-lease-duration-seconds", "40"}, kubectl...)...)
	}
	return err
}

// Adds nodes and waits until they are ready.
func (p *controlPlane) join(nodes int) error {
	for n := 1; n <= nodes; n++ {
		name := fmt.Sprintf("node-%d", n)
		room := map[string]string{"cpu": "32", "memory": "64Gi", "pods": "110"}
		node := map[string]any{
			"metadata": map[string]any{"name": name, "labels": map[string]string{
				"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
			"status": map[string]any{"allocatable": room, "capacity": room},
		}
		if status, text := p.ask(http.MethodPost, "/api/v1/nodes", node); status != http.StatusCreated {
			return fmt.Errorf("%s: %d %s", name, status, text)
		}
	}
	return p.wait("the nodes", "kwok", func() bool {
		var list struct {
			Items []struct {
				Status struct {
					Conditions []struct{ Type, Status string }
				}
				Spec struct{ Taints []any }
			}
		}
		_, text := p.ask(http.MethodGet, "/api/v1/nodes", nil)
		if json.Unmarshal(text, &list) != nil {
			return false
		}
		ready := 0
		for _, node := range list.Items {
			for _, condition := range node.Status.Conditions {
				if condition.Type == "Ready" && condition.Status == "True" && len(node.Spec.Taints) == 0 {
					ready++
				}
			}
		}
		return ready == nodes
	})
}

func (p *controlPlane) path(name string) string { return filepath.Join(p.folder, name) }

func (p *controlPlane) url() string { return fmt.Sprintf("https://127.0.0.1:%d", p.port) }

// Starts one of the programs in this binary. It ends with this process, however that ends.
func (p *controlPlane) run(name string, arguments ...string) error {
	log, err := os.Create(p.path(name + ".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, append([]string{name}, arguments...)...)
	command.Stdout, command.Stderr, command.Dir = log, log, p.folder
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := command.Start(); err != nil {
		return err
	}
	p.processes[name] = command
	return nil
}

// At once: the API server would wait for requests to end, and the state is thrown away anyway.
func (p *controlPlane) end(name string) {
	if command, there := p.processes[name]; there {
		_ = command.Process.Kill()
		_ = command.Wait()
		delete(p.processes, name)
	}
}

func (p *controlPlane) stop() {
	for name := range p.processes {
		p.end(name)
	}
}

func (p *controlPlane) wait(what, process string, done func() bool) error {
	for end := time.Now().Add(10 * time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		log, _ := os.ReadFile(p.path(process + ".log"))
		tail := string(log[max(0, len(log)-2000):])
		// A process that has ended and is not yet waited for is a zombie: state Z in its third field.
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.processes[process].Process.Pid))
		if _, state, found := bytes.Cut(stat, []byte(") ")); !found || state[0] == 'Z' {
			err := fmt.Errorf("%s ended: %s", process, tail)
			if strings.Contains(tail, "address already in use") {
				err = fmt.Errorf("%w: %w", syscall.EADDRINUSE, err)
			}
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not ready after two minutes: %s", what, tail)
		}
	}
	return nil
}

// A request by the administrator; status 0 when there is no answer.
func (p *controlPlane) ask(method, path string, body any) (int, []byte) {
	ca, err := p.pki.read("ca.crt")
	if err != nil {
		return 0, nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	admin, err := tls.LoadX509KeyPair(p.pki.path("admin.crt"), p.pki.path("admin.key"))
	if err != nil {
		return 0, nil
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{admin}}}
	defer transport.CloseIdleConnections()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, p.url()+path, content)
	if err != nil {
		return 0, nil
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return 0, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, text
}

// One line for whoever started this.
func (p *controlPlane) tell() {
	pids := map[string]int{}
	for name, command := range p.processes {
		pids[name] = command.Process.Pid
	}
	line, _ := json.Marshal(map[string]any{
		"url": p.url(), "kubeconfig": p.path("kubeconfig"), "pki": p.pki.folder, "logs": p.folder, "pids": pids,
	})
	fmt.Println(string(line))
}

func freePorts(count int) ([]int, error) {
	ports := []int{}
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// All at once, so that they differ.
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
