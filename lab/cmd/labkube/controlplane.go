//go:build providerless

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	cliflag "k8s.io/component-base/cli/flag"
	logsapi "k8s.io/component-base/logs/api/v1"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kcmoptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// controlPlane is one process with etcd, API server, controller manager and
// scheduler. Addresses are fixed: the lab has a network namespace of its own.
type controlPlane struct {
	dir       string // holds pki/ and kubeconfigs
	etcd      string
	advertise string
	extra     []string // further API server flags
	still     bool     // run no controller that changes workloads or nodes
}

func controlPlaneCommand() *cobra.Command {
	var cp controlPlane
	c := plain("control-plane", func(c *cobra.Command) error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		return cp.run(ctx)
	})
	c.Flags().StringVar(&cp.dir, "dir", "", "state directory with pki/ and the components' kubeconfigs")
	c.Flags().StringVar(&cp.etcd, "etcd-dir", "", "etcd's data directory")
	c.Flags().StringVar(&cp.advertise, "advertise", "10.77.0.1", "address that nodes and pods use for the API server")
	c.Flags().StringArrayVar(&cp.extra, "apiserver-flag", nil, "a further API server flag, as --name=value")
	c.Flags().BoolVar(&cp.still, "still", false, "run no controller that changes workloads or nodes")
	return c
}

func (cp controlPlane) run(ctx context.Context) error {
	// The components share one process, and each applies the logging configuration.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	stopEtcd, err := startEtcd(cp.etcd)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer stopEtcd()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	part := func(name string, run func(context.Context) error) {
		go func() {
			err := run(ctx)
			if ctx.Err() == nil {
				cancel(fmt.Errorf("%s ended: %w", name, errors.Join(err, errors.New("unexpectedly"))))
			}
		}()
	}
	// The API server sets the feature gates, which are global; the others must not race with it.
	server, err := cp.apiServer(ctx)
	if err != nil {
		return fmt.Errorf("kube-apiserver: %w", err)
	}
	part("kube-apiserver", server)
	part("kube-controller-manager", cp.controllerManager)
	part("kube-scheduler", cp.scheduler)
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func startEtcd(dir string) (stop func(), err error) {
	cfg := embed.NewConfig()
	cfg.Dir, cfg.Name, cfg.LogLevel = dir, "lab", "warn"
	cfg.UnsafeNoFsync = true // nothing here outlives the machine
	local := func(port string) []url.URL { return []url.URL{{Scheme: "http", Host: "127.0.0.1:" + port}} }
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = local("2379"), local("2379")
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = local("2380"), local("2380")
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = "periodic", "5m"
	cfg.QuotaBackendBytes = 4 << 30 // a fleet of 100,000 pods takes about one
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
		return e.Close, nil
	case err := <-e.Err():
		return nil, err
	case <-time.After(30 * time.Second):
		e.Close()
		return nil, errors.New("not ready after 30s")
	}
}

// parse sets flags on a component's flag sets, as its command line would.
func parse(name string, sets cliflag.NamedFlagSets, flags []string) error {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, s := range sets.FlagSets {
		fs.AddFlagSet(s)
	}
	return fs.Parse(flags)
}

// apiServer prepares the API server and returns what runs it.
func (cp controlPlane) apiServer(ctx context.Context) (func(context.Context) error, error) {
	pki := func(name string) string { return filepath.Join(cp.dir, "pki", name) }
	s := apiserveroptions.NewServerRunOptions()
	err := parse("kube-apiserver", s.Flags(), append([]string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--secure-port=6443",
		"--bind-address=0.0.0.0",
		"--advertise-address=" + cp.advertise,
		"--client-ca-file=" + pki("ca.crt"),
		"--tls-cert-file=" + pki("apiserver.crt"),
		"--tls-private-key-file=" + pki("apiserver.key"),
		"--kubelet-client-certificate=" + pki("kubelet-client.crt"),
		"--kubelet-client-key=" + pki("kubelet-client.key"),
		"--kubelet-certificate-authority=" + pki("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + pki("sa.pub"),
		"--service-account-signing-key-file=" + pki("sa.key"),
		"--requestheader-client-ca-file=" + pki("front-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + pki("front-client.crt"),
		"--proxy-client-key-file=" + pki("front-client.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
	}, cp.extra...))
	if err != nil {
		return nil, err
	}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	return func(ctx context.Context) error { return apiserver.Run(ctx, completed) }, nil
}

func (cp controlPlane) controllerManager(ctx context.Context) error {
	conf := filepath.Join(cp.dir, "controller-manager.kubeconfig")
	pki := func(name string) string { return filepath.Join(cp.dir, "pki", name) }
	s, err := kcmoptions.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	all, off, aliases := kcm.KnownControllers(), kcm.ControllersDisabledByDefault(), kcm.ControllerAliases()
	sets := s.Flags(all, off, aliases)
	s.ParsedFlags = &sets
	controllers := "*"
	if cp.still {
		controllers = "serviceaccount-controller,namespace-controller,root-ca-certificate-publisher-controller"
	}
	if err := parse("kube-controller-manager", sets, []string{
		"--kubeconfig=" + conf, "--authentication-kubeconfig=" + conf, "--authorization-kubeconfig=" + conf,
		"--service-account-private-key-file=" + pki("sa.key"),
		"--root-ca-file=" + pki("ca.crt"),
		"--cluster-signing-cert-file=" + pki("ca.crt"), "--cluster-signing-key-file=" + pki("ca.key"),
		"--use-service-account-credentials=true",
		"--leader-elect=false",
		// Each controller makes its own account at start; the default of 20/s delays
		// the first pod by five seconds.
		"--kube-api-qps=1000", "--kube-api-burst=2000",
		// Nodes choose their pod ranges by index; see the lab's network plan.
		"--allocate-node-cidrs=false",
		"--secure-port=0",
		"--flex-volume-plugin-dir=" + filepath.Join(cp.etcd, "no-plugins"), // it makes the directory
		// A dead node should be noticed while a person watches.
		"--node-monitor-grace-period=40s",
		"--controllers=" + controllers,
	}); err != nil {
		return err
	}
	if err := waitAPI(ctx, conf); err != nil {
		return err
	}
	c, err := s.Config(ctx, all, off, aliases)
	if err != nil {
		return err
	}
	return kcm.Run(ctx, c.Complete())
}

func (cp controlPlane) scheduler(ctx context.Context) error {
	conf := filepath.Join(cp.dir, "scheduler.kubeconfig")
	o := scheduleroptions.NewOptions()
	if err := parse("kube-scheduler", *o.Flags, []string{
		"--kubeconfig=" + conf, "--authentication-kubeconfig=" + conf, "--authorization-kubeconfig=" + conf,
		"--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=500", "--kube-api-burst=1000",
	}); err != nil {
		return err
	}
	if err := waitAPI(ctx, conf); err != nil {
		return err
	}
	name, err := cache.NewInformerName("kube-scheduler")
	if err != nil {
		return err
	}
	o.InformerName = name
	cc, sched, err := scheduler.Setup(ctx, o)
	if err != nil {
		return err
	}
	return scheduler.Run(ctx, cc, sched)
}
