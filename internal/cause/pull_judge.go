package cause

import (
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeTrouble names the causes of one pull trouble: the primary one, and what
// else the facts show beside it.
func judgeTrouble(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	out := judgePull(f, w, t)
	if fd, ok := mixedCredentials(w, t, out); ok {
		out = append(out, fd)
	}
	return append(out, cachedCopy(f, w, t, out)...)
}

// judgePull decides by the kind of error. Kinds that fit several causes are
// settled by other witnesses in their own file.
func judgePull(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	switch k := t.err.Kind; k {
	case pullerror.NotFound, pullerror.TagMissing, pullerror.RepoMissing, pullerror.DigestMissing:
		return judgeNotFound(f, w, t)
	case pullerror.InvalidName, pullerror.ShortName, pullerror.NeverPull:
		return judgeName(f, w, t)
	case pullerror.AccessDenied, pullerror.NoBasicAuth, pullerror.Unauthorized, pullerror.TokenUnauthorized, pullerror.TokenDenied,
		pullerror.Forbidden, pullerror.SecretMalformed, pullerror.SecretMissing:
		return judgeAuth(f, w, t)
	case pullerror.RateLimited, pullerror.ServerError, pullerror.TokenEndpoint, pullerror.HTTPStatus, pullerror.RegistryDown:
		return judgeService(f, w, t)
	case pullerror.DNSNotFound, pullerror.DNSServfail, pullerror.DNSTimeout, pullerror.DNSRefused:
		return judgeDNS(f, w, t)
	case pullerror.TCPRefused, pullerror.TCPTimeout, pullerror.TCPReset, pullerror.NoRoute, pullerror.HandshakeTime,
		pullerror.HeaderTimeout, pullerror.RequestTimeout, pullerror.TransferEOF:
		return judgeConnection(f, w, t)
	case pullerror.TLSUnknownCA, pullerror.TLSExpired, pullerror.TLSNotYetValid, pullerror.TLSValidity, pullerror.TLSName, pullerror.TLSCNOnly,
		pullerror.HTTPResponse, pullerror.TLSHandshake:
		return judgeTLS(f, w, t)
	case pullerror.Cancelled, pullerror.ProgressTimeout, pullerror.RuntimeRestarted:
		return judgeCancelled(f, w, t)
	case pullerror.DigestMismatch, pullerror.EmptyBody, pullerror.SizeMismatch, pullerror.PlatformMismatch, pullerror.MediaType,
		pullerror.BlobMissing:
		return judgeContent(f, w, t)
	case pullerror.DiskFull, pullerror.InodesFull, pullerror.QuotaExceeded:
		return judgeDisk(f, w, t)
	default:
		return judgePlain(w, t)
	}
}
