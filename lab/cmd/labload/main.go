// Command labload fills a lab with a fleet of pods, one in a hundred in trouble,
// and prints how many Deployments have which trouble as JSON. It writes to the
// lab's etcd, so it runs inside the lab:
//
//	lab up --name fleet --nodes none --still
//	lab exec --name fleet -- labload --nodes 1000 --pods 10000
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/unjam-dev/unjam/lab/load"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "labload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	s := load.Size{Now: time.Now()}
	flag.IntVar(&s.Nodes, "nodes", 1000, "nodes to make")
	flag.IntVar(&s.Pods, "pods", 10_000, "pods to make")
	flag.IntVar(&s.PerDeployment, "per-deployment", 10, "pods of a Deployment")
	flag.IntVar(&s.PerNamespace, "per-namespace", 50, "Deployments of a namespace")
	flag.IntVar(&s.OldSets, "old-sets", 2, "ReplicaSets without pods that each Deployment keeps")
	endpoint := flag.String("etcd", "http://127.0.0.1:2379", "the lab's etcd")
	serve := flag.String("serve", "", "address on which to serve the fleet out of memory, in place of a lab")
	flag.Parse()
	if *serve != "" {
		return http.ListenAndServe(*serve, load.Make(s).Serve())
	}
	store, err := load.NewStore(*endpoint)
	if err != nil {
		return err
	}
	defer store.Close()
	start := time.Now()
	f := load.Make(s)
	if err := f.Write(ctx, store); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d Deployments, %d ReplicaSets, %d pods, %d events in %s\n", len(f.Deployments), len(f.ReplicaSets), len(f.Pods), len(f.Events), time.Since(start).Round(time.Millisecond))
	return json.NewEncoder(os.Stdout).Encode(f.Troubled)
}
