package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpproxy"

	"github.com/unjam-dev/unjam/internal/capture"
	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/probe"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

type probeOptions struct {
	flags                  *kubeFlags
	from, pod, secret      string
	anonymous              bool
	platforms              []string
	insecureHTTP, headOnly bool
	ca, resolver           string
	timeout                time.Duration
	output, exit           string
}

func (a *app) probeCommand() *cobra.Command {
	o := &probeOptions{}
	cmd := &cobra.Command{
		Use:   "probe IMAGE",
		Short: "Look at an image's registry stage by stage, as a pull meets it",
		Long: `Look at an image's registry stage by stage, as a pull meets it: name, DNS, TCP,
proxy, TLS, login, token, manifest, platform, content, rate limit, signature.
The stage that fails is named with its cause, what else it could be, and the
next step.

It is asked from this machine, which proves nothing about a node: a node has
its own resolver, routes, proxy, certificates and address.

Without --as-pod, --secret or --anonymous the docker login of this machine is
used, as the docker command would. --as-pod and --secret read Secrets of the
cluster (get on secrets) and use them by the kubelet's own rules; their content
stays in memory and is in no output.

The manifest is asked for with HEAD, which counts as a pull nowhere. Platform
and content need the manifest itself, one or two GETs, which Docker Hub counts
as a pull; --head-only leaves them out.

The exit code is 0 when the image can be pulled, else that of a stall by the
same cause: see "` + a.program + ` exit-codes".`,
		Example: a.examples("probe nginx:1.27", "probe registry.example.com/shop/web:v2 --as-pod web-7d4b9c-x2x8k -n shop",
			"probe ghcr.io/acme/api:v1 --secret regcred -n shop -o json", "probe ghcr.io/acme/api:v1 --anonymous --platform linux/arm64",
			"probe registry.local:5000/web:v1 --insecure-http", "probe registry.local/web:v1 --ca ca.crt --resolver 10.96.0.10"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one image, for example: %s probe nginx:1.27", a.program)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd, o, args[0]) },
	}
	o.flags = newKubeFlags(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "here", "where to look from: here (this machine)")
	f.StringVar(&o.pod, "as-pod", "", "use the pull secrets of this pod")
	f.StringVar(&o.secret, "secret", "", "use this pull secret")
	f.BoolVar(&o.anonymous, "anonymous", false, "use no credential")
	f.StringSliceVar(&o.platforms, "platform", nil, "platforms that are wanted, as os/arch (default: those of the nodes with --as-pod or --secret, else linux on this machine's processor)")
	f.BoolVar(&o.insecureHTTP, "insecure-http", false, "speak plain HTTP to the registry")
	f.BoolVar(&o.headOnly, "head-only", false, "fetch no manifest and no content, so that nothing counts as a pull")
	f.StringVar(&o.ca, "ca", "", "file of PEM certificates to trust besides the machine's own")
	f.StringVar(&o.resolver, "resolver", "", "name server to ask in place of the machine's own, as address or address:port")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "time for all stages together")
	addOutputFlags(cmd, &o.output, &o.exit)
	return cmd
}

func (a *app) probe(cmd *cobra.Command, o *probeOptions, image string) error {
	if err := o.check(); err != nil {
		return err
	}
	place, err := a.here(o)
	if err != nil {
		return err
	}
	req := probe.Request{Image: image, InsecureHTTP: o.insecureHTTP, HeadOnly: o.headOnly, Platforms: o.platforms, PlatformsFrom: "asked for", Limits: probe.Limits{Total: o.timeout}}
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout) // the cluster may be silent, too
	defer cancel()
	if req.As, err = o.identity(ctx, image); err != nil {
		return err
	}
	if len(req.Platforms) == 0 {
		req.Platforms, req.PlatformsFrom = o.wanted(ctx)
	}
	done := a.progress("probing " + image)
	p := probe.Run(cmd.Context(), place, req)
	done()
	rep := report.NewProbeReport(cause.BuiltIn, p)
	if err := a.write(rep, o.output, false); err != nil {
		return err
	}
	a.code = rep.Code()
	if o.exit == "simple" {
		a.code = report.Simple(a.code)
	}
	return nil
}

var platformForm = regexp.MustCompile(`^[a-z0-9]{1,20}/[a-z0-9]{1,20}(/[a-z0-9.]{1,20})?$`)

func (o *probeOptions) check() error {
	if err := checkFormat(o.output); err != nil {
		return err
	}
	if o.exit != "full" && o.exit != "simple" {
		return usagef("unknown --exit-code %q: choose full or simple", o.exit)
	}
	if o.from != "here" {
		return usagef("unknown --from %q: only here (this machine) can be asked so far", o.from)
	}
	n := 0
	for _, set := range []bool{o.pod != "", o.secret != "", o.anonymous} {
		if set {
			n++
		}
	}
	if n > 1 {
		return usagef("--as-pod, --secret and --anonymous exclude each other")
	}
	if o.timeout <= 0 || o.timeout > time.Hour {
		return usagef("--timeout %s: choose between 1s and 1h", o.timeout)
	}
	for _, p := range o.platforms {
		if !platformForm.MatchString(p) {
			return usagef("--platform %q: write it as os/arch or os/arch/variant, for example linux/arm64", p)
		}
	}
	return nil
}

// here is this machine as a place to look from.
func (a *app) here(o *probeOptions) (probe.Place, error) {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	env := func(names ...string) string {
		for _, name := range names {
			for _, e := range slices.Backward(a.env) {
				if v, ok := strings.CutPrefix(e, name+"="); ok && v != "" {
					return v
				}
			}
		}
		return ""
	}
	proxies := httpproxy.Config{HTTPProxy: env("HTTP_PROXY", "http_proxy"), HTTPSProxy: env("HTTPS_PROXY", "https_proxy"), NoProxy: env("NO_PROXY", "no_proxy")}
	place := probe.Place{ProbePlace: snapshot.ProbePlace{Kind: "here", Name: host}, Proxy: proxies.ProxyFunc(), Lookup: probe.SystemLookup(o.resolver)}
	if o.ca == "" {
		return place, nil
	}
	pem, err := os.ReadFile(o.ca)
	if err != nil {
		return place, fileError(o.ca, err)
	}
	if place.Roots, err = x509.SystemCertPool(); err != nil {
		place.Roots = x509.NewCertPool()
	}
	if !place.Roots.AppendCertsFromPEM(pem) {
		return place, usagef("%s holds no PEM certificate", o.ca)
	}
	place.Trust = "the machine's own and " + o.ca
	return place, nil
}

// identity reads the credentials that were asked for.
func (o *probeOptions) identity(ctx context.Context, image string) (probe.Identity, error) {
	switch {
	case o.anonymous:
		return probe.Anonymous(), nil
	case o.pod == "" && o.secret == "":
		return probe.FromDockerConfig(image)
	}
	ns, err := o.flags.namespace()
	if err != nil {
		return probe.Identity{}, err
	}
	cfg, err := o.flags.rest()
	if err != nil {
		return probe.Identity{}, err
	}
	if o.secret != "" {
		s, err := capture.ReadPullSecret(ctx, cfg, ns, o.secret)
		if err != nil {
			return probe.Identity{}, unread(err)
		}
		return probe.FromSecrets(image, snapshot.ProbeIdentity{Kind: "secret", Name: ns + "/" + o.secret}, []probe.PullSecret{probe.PullSecret(s)}), nil
	}
	pulls, err := capture.ReadPodPulls(ctx, cfg, ns, o.pod)
	if err != nil {
		return probe.Identity{}, unread(err)
	}
	var secrets []probe.PullSecret
	for _, s := range pulls.Secrets {
		secrets = append(secrets, probe.PullSecret(s))
	}
	out := probe.FromSecrets(image, snapshot.ProbeIdentity{Kind: "pod", Name: ns + "/" + o.pod}, secrets)
	if len(pulls.AccountSecrets) > 0 {
		out.Notes = append(out.Notes, probe.AccountNote(ns+"/"+pulls.Account, pulls.AccountSecrets))
	}
	return out, nil
}

// unread turns an object that is not there into the caller's mistake.
func unread(err error) error {
	var named *capture.NamedError
	if errors.As(err, &named) && named.NotFound() {
		return usagef("there is no %s %s in namespace %s", named.Resource, named.Name, named.Namespace)
	}
	return err
}

// wanted are the platforms of the nodes when a cluster was asked anyway.
func (o *probeOptions) wanted(ctx context.Context) (platforms []string, from string) {
	if o.pod != "" || o.secret != "" {
		if cfg, err := o.flags.rest(); err == nil {
			if list, err := capture.ReadPlatforms(ctx, cfg); err == nil && len(list) > 0 {
				return list, "the cluster's nodes"
			}
		}
	}
	return []string{"linux/" + runtime.GOARCH}, "this machine's processor"
}
