package cause

// quotaCauses are what keeps pods from being made because of a ResourceQuota
// or a LimitRange of the namespace.
func quotaCauses() []Cause {
	return []Cause{
		{Code: "quota-blocks-surge", Family: Quota, Class: Terminal, Title: "Quota too small for old and new pods together",
			Playbook: quotaBlocksSurgePlaybook, Detect: detectQuotaBlocksSurge},
		{Code: "quota-exceeded", Family: Quota, Class: Terminal, Title: "Namespace quota exhausted",
			Playbook: quotaExceededPlaybook, Detect: detectQuotaExceeded},
		{Code: "quota-missing-requests", Family: Quota, Class: Terminal, Title: "Requests or limits missing that a quota counts",
			Playbook: quotaMissingRequestsPlaybook, Detect: detectQuotaMissingRequests},
		{Code: "quota-status-unknown", Family: Quota, Class: SelfHealing, Settle: quotaUnknownSettle, Title: "Quota not counted yet",
			Playbook: quotaStatusUnknownPlaybook, Detect: detectQuotaStatusUnknown},
		{Code: "quota-scope-not-covered", Family: Quota, Class: Terminal, Title: "No quota covers this kind of pod",
			Playbook: quotaScopePlaybook, Detect: detectQuotaScope},
		{Code: "limitrange-max", Family: Quota, Class: Terminal, Title: "Above the maximum of a LimitRange",
			Playbook: limitRangeMaxPlaybook, Detect: detectLimitRangeMax},
		{Code: "limitrange-min-or-ratio", Family: Quota, Class: Terminal, Title: "Below the minimum or beyond the ratio of a LimitRange",
			Playbook: limitRangeMinPlaybook, Detect: detectLimitRangeMin},
		{Code: "limitrange-default-inflates", Family: Quota, Class: Terminal, Title: "LimitRange default too large to be scheduled",
			Playbook: limitRangeInflatesPlaybook, Detect: detectLimitRangeInflates},
	}
}
