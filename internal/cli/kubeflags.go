package cli

import (
	"github.com/spf13/pflag"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // cloud login plugins named in kubeconfigs
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// kubeFlags are kubectl's flags for choosing a cluster, user and namespace.
// They come from clientcmd rather than cli-runtime, which brings every API type
// and triples the start-up time.
type kubeFlags struct {
	rules     *clientcmd.ClientConfigLoadingRules
	overrides clientcmd.ConfigOverrides
}

func newKubeFlags(fs *pflag.FlagSet) *kubeFlags {
	k := &kubeFlags{rules: clientcmd.NewDefaultClientConfigLoadingRules()}
	names := clientcmd.RecommendedConfigOverrideFlags("")
	names.AuthOverrideFlags.Password.LongName = "" // kubectl has no --password any more
	names.AuthOverrideFlags.Username.LongName = ""
	names.ContextOverrideFlags.Namespace.ShortName = "n"
	names.ClusterOverrideFlags.APIServer.ShortName = "s"
	clientcmd.BindOverrideFlags(&k.overrides, fs, names)
	fs.StringVar(&k.rules.ExplicitPath, "kubeconfig", "", "path to the kubeconfig file")
	return k
}

func (k *kubeFlags) config() clientcmd.ClientConfig {
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(k.rules, &k.overrides)
}

// rest is the client configuration that the flags choose.
func (k *kubeFlags) rest() (*rest.Config, error) {
	cfg, err := k.config().ClientConfig()
	if err != nil {
		return nil, &configError{err}
	}
	return cfg, nil
}

// given is the namespace given with -n, empty when there was none.
func (k *kubeFlags) given() string { return k.overrides.Context.Namespace }

// namespace is the one given with -n, else the context's.
func (k *kubeFlags) namespace() (string, error) {
	ns, _, err := k.config().Namespace()
	if err != nil {
		return "", &configError{err}
	}
	return ns, nil
}

// context is the name of the context in use.
func (k *kubeFlags) context() string {
	if k.overrides.CurrentContext != "" {
		return k.overrides.CurrentContext
	}
	raw, err := k.config().RawConfig()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}
