package cause

// seeStep is a check: it changes nothing.
func seeStep(text, command string) Step { return Step{Text: text, Command: command} }

// mendStep is a remedy. Undo says how to take it back; when names Vars it needs.
func mendStep(approver, text, command, undo string, when ...string) Step {
	return Step{Text: text, Command: command, Undo: undo, Approver: approver, When: when}
}

// Approvers that several playbooks name.
const (
	appOwner     = "app owner"
	platformTeam = "platform team"
	nodeOwner    = "node owner"
	storageTeam  = "storage team"
)
