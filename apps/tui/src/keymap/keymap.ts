// The one table of keys: dispatch, footer, help, palette and docs/keys.md come from it.
import type { TargetKind } from "../app/state.ts";

export type Context = "global" | TargetKind;

/** One row. Keys are named as blessed names them. */
export type Binding = {
	readonly context: Context;
	readonly keys: readonly string[];
	readonly action: string;
	readonly label: string;
	readonly help: string;
	readonly footer: boolean;
	/** It changes something: not there with --read-only. */
	readonly changes: boolean;
};

const move = (action: string, keys: readonly string[], help: string): Binding => ({
	context: "global",
	keys,
	action,
	label: action,
	help,
	footer: false,
	changes: false,
});
const go = (key: string | null, screen: string): Binding => ({
	context: "global",
	keys: key === null ? [] : [key],
	action: `go-${screen}`,
	label: screen,
	help: `show ${screen}`,
	footer: false,
	changes: false,
});
const look = (action: string, keys: readonly string[], label: string, help: string): Binding => ({
	context: "global",
	keys,
	action,
	label,
	help,
	footer: true,
	changes: false,
});
const act = (
	context: TargetKind,
	key: string,
	action: string,
	label: string,
	help: string,
): Binding => ({
	context,
	keys: [key],
	action,
	label,
	help,
	footer: true,
	changes: true,
});

/** All keys, contexts together. */
export const KEYMAP: readonly Binding[] = [
	look("open", ["enter", "right"], "open", "open what is selected"),
	look("back", ["escape", "left"], "back", "go back; first it takes the filter away"),
	look("filter", ["/"], "filter", "show only rows with this text"),
	look("palette", [":"], "command", "choose any command by its name"),
	look("help", ["?"], "help", "show all keys"),
	look("quit", ["q", "C-c"], "quit", "leave; jobs go on"),
	move("down", ["j", "down"], "next row"),
	move("up", ["k", "up"], "row before"),
	move("top", ["g", "home"], "first row"),
	move("bottom", ["S-g", "end"], "last row"),
	move("page-down", ["pagedown", "C-f"], "a page down"),
	move("page-up", ["pageup", "C-b"], "a page up"),
	move("mark", ["space"], "mark or unmark a row; acts then take all that are marked"),
	move("sort", ["s"], "sort by the next column"),
	move("copy", ["y"], "copy the command line that shows what is selected"),
	move("refresh", ["r"], "read everything again"),
	move("redraw", ["C-l"], "draw the screen anew"),
	move("suspend", ["C-z"], "go to the background"),
	go("1", "dashboard"),
	go("2", "vms"),
	go("3", "chains"),
	go("4", "backups"),
	go("5", "jobs"),
	go("6", "offerings"),
	go("7", "repositories"),
	go("8", "settings"),
	go("9", "hosts"),
	go("0", "peers"),
	go(null, "events"),
	go(null, "schedules"),
	go(null, "selectors"),
	go(null, "retention"),
	go(null, "doctor"),
	act("vm", "b", "backup", "back up", "back up the VM; options first"),
	act("vm", "f", "finish", "finish chain", "finish the VM's open chain: its next backup is full"),
	act("vm", "o", "assign", "offering", "put the VM under another offering"),
	act(
		"vm",
		"S-u",
		"unassign",
		"unassign",
		"take the VM out of its offering; its chain is finished",
	),
	act("vm", "e", "set-vm", "vm settings", "say how backups of the VM are validated"),
	act(
		"vm",
		"S-z",
		"restore-undo",
		"undo restore",
		"go back to the disks before the restore in place",
	),
	act(
		"vm",
		"S-k",
		"restore-confirm",
		"free old disks",
		"delete the disks that a restore has set aside",
	),
	act("backup", "v", "validate", "validate", "prove the backup: boot it in a throw-away VM"),
	act("backup", "S-v", "validate-with", "steps", "prove the backup by steps that you choose"),
	act("backup", "c", "compress", "compress", "compress the backup's layers"),
	act("backup", "S-r", "restore", "restore", "restore as a new VM beside the old one"),
	act(
		"backup",
		"S-i",
		"restore-in-place",
		"in place",
		"restore over the VM's own disks; the old ones are kept",
	),
	act("backup", "p", "pin", "pin", "keep the backup whatever retention says"),
	act("backup", "S-p", "unpin", "unpin", "let retention judge the backup again"),
	act("backup", "d", "delete", "delete", "delete the backup, after its name is typed"),
	act(
		"backup",
		"S-d",
		"consolidate",
		"fold",
		"take the backup out of its chain for real, its data folded into the next",
	),
	act("backup", "u", "undelete", "undelete", "bring a deleted backup back"),
	act("backup", "S-a", "restore-disk", "one disk", "attach one disk of the backup to a VM"),
	{
		...{ context: "backup", keys: ["i"], action: "screen", label: "screen" },
		help: "look at the screen that the backup showed, as large as it fits",
		...{ footer: true, changes: false },
	},
	{
		...{ context: "backup", keys: ["l"], action: "files", label: "files" },
		help: "look into the backup's files, where its offering allows it",
		...{ footer: true, changes: false },
	},
	act("file", "x", "extract", "extract", "bring it, or all that is marked, into a directory"),
	act("chain", "v", "verify", "verify", "read all files of the chain again and compare"),
	act("chain", "f", "finish-chain", "finish", "finish the chain: the VM's next backup is full"),
	act("job", "x", "cancel", "cancel", "cancel the job and undo what it did"),
	act("job", "t", "retry", "retry", "start a job that has ended once more"),
	act("offering", "a", "add", "new", "make a new offering"),
	act("offering", "e", "edit", "change", "change what the offering says"),
	act("offering", "S-c", "clone", "copy", "copy the offering under another name"),
	act("offering", "d", "delete", "delete", "delete the offering, after its name is typed"),
	act("repository", "n", "rescan", "rescan", "read the repository's manifests again"),
	act("repository", "v", "verify", "verify", "read the repository's backups again and compare"),
	act("repository", "a", "add", "add", "add a directory that backups go to"),
	act("repository", "d", "remove", "remove", "forget the repository here; its bytes stay"),
	act("setting", "e", "set", "edit", "give the setting another value, for all or for one"),
	act("setting", "z", "unset", "unset", "take the value of all, of a host or of a VM away"),
	act("peer", "a", "invite", "invite", "make a code by which another host joins, once"),
	act("peer", "n", "join", "join", "join another host by its code"),
	act("peer", "e", "role", "role", "say what the host may ask of this mesh"),
	act("peer", "d", "remove", "remove", "take the host out of the mesh, after its name is typed"),
	act("peer", "S-k", "rotate-key", "new key", "give this host a new key, after its name is typed"),
	act("schedule", "a", "add", "new", "back VMs up by themselves"),
	act("schedule", "d", "delete", "delete", "delete the schedule, after its name is typed"),
	act("selector", "a", "add", "new", "choose the repository of VMs' next chains by a rule"),
	act("selector", "d", "delete", "delete", "delete the selector, after its name is typed"),
];

/** The keys of a row as people write them; what has none is typed by its name after a colon. */
export const keysText = ({ keys, label }: Binding): readonly string[] =>
	keys.length === 0 ? [`:${label}`] : keys.map(keyName);

/** A key as people write it. */
export const keyName = (key: string): string => {
	if (key === "escape") return "esc";
	if (key.startsWith("S-")) return key.slice(2).toUpperCase();
	return key.startsWith("C-") ? `^${key.slice(2).toUpperCase()}` : key;
};
