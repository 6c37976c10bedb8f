// Kubernetes' own servers and client in one binary, for tests: kube-apiserver, kube-controller-manager, kube-scheduler,
// etcd, kubectl, and KWOK, which plays the nodes. The first argument says which; `up` runs them all.
package main

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"runtime"
	"sort"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

// What this binary was built from.
//
//go:embed *.go *.yaml go.mod go.sum
var sources embed.FS

func init() {
	// The servers end with the thread that starts them: that must be the one that lives as long as the process.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) < 2 {
		fail("usage: kube up|pki|fingerprint|etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kwok|kubectl ...")
	}
	os.Args = os.Args[1:]
	var command *cobra.Command
	switch os.Args[0] {
	case "up":
		up()
		return
	case "pki":
		if len(os.Args) != 2 {
			fail("usage: kube pki DIR")
		}
		if _, err := newPki(os.Args[1]); err != nil {
			fail(err.Error())
		}
		return
	case "fingerprint":
		fmt.Println(fingerprint())
		return
	case "etcd":
		etcdmain.Main(os.Args)
		return
	case "kwok":
		runKwok()
		return
	case "kube-apiserver":
		command = apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		command = controllers.NewControllerManagerCommand()
	case "kube-scheduler":
		command = scheduler.NewSchedulerCommand()
	case "kubectl":
		command = kubectl.NewDefaultKubectlCommand()
	default:
		fail("no such program: " + os.Args[0])
	}
	os.Exit(cli.Run(command))
}

func runKwok() {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := kwoklog.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		fail(err.Error())
	}
	command := kwok.NewCommand(ctx)
	// Its flag --version would collide with the one that Kubernetes' packages register.
	command.Version = ""
	command.PersistentFlags().AddFlagSet(flags)
	if err := command.ExecuteContext(ctx); err != nil {
		fail(err.Error())
	}
}

// The SHA-256 of all sources, each after its name, in the order of the names.
func fingerprint() string {
	entries, err := sources.ReadDir(".")
	if err != nil {
		fail(err.Error())
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	hash := sha256.New()
	for _, entry := range entries {
		text, err := sources.ReadFile(entry.Name())
		if err != nil {
			fail(err.Error())
		}
		fmt.Fprintf(hash, "%s\n", entry.Name())
		hash.Write(text)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
