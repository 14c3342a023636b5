// Reads the answers of virsh that are no XML. Pure; every function throws COMMAND_FAILED on an answer it cannot read (I10).
import { KnibError, type VmState } from "@knib/core";

const unreadable = (what: string, text: string): KnibError =>
	new KnibError("COMMAND_FAILED", `the answer of virsh ${what} cannot be read`, {
		details: { answer: text.slice(0, 1000) },
	});

const linesOf = (text: string): readonly string[] =>
	text.split("\n").filter((line) => line.trim() !== "");

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text has the form that libvirt gives uuids in. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** `virsh list --all --uuid --name`. Names may hold spaces. */
export const parseList = (text: string): readonly { uuid: string; name: string }[] =>
	linesOf(text).map((line) => {
		const uuid = line.slice(0, 36);
		const name = line.slice(37).trim();
		if (!isUuid(uuid) || name === "") throw unreadable("list", text);
		return { uuid, name };
	});

/** Numbers of virDomainState; what is not here is `other`. 4 is a guest that shuts down: its process still runs. */
const STATES: Readonly<Record<string, VmState>> = {
	"1": "running",
	"2": "running",
	"3": "paused",
	"4": "running",
	"5": "shut off",
	"6": "crashed",
};

/** `virsh domstats --state`: state by VM name. */
export const parseStates = (text: string): ReadonlyMap<string, VmState> => {
	const states = new Map<string, VmState>();
	let name: string | undefined;
	for (const line of linesOf(text)) {
		const header = /^Domain: '(.*)'$/.exec(line)?.[1];
		const state = /^\s+state\.state=(\d+)$/.exec(line)?.[1];
		if (header !== undefined) name = header;
		else if (state !== undefined && name !== undefined) states.set(name, STATES[state] ?? "other");
	}
	if (states.size === 0 && text.trim() !== "") throw unreadable("domstats", text);
	return states;
};

/** What `virsh domstate` and `dominfo` say, by their words. */
const STATE_WORDS: Readonly<Record<string, VmState>> = {
	running: "running",
	idle: "running",
	paused: "paused",
	"in shutdown": "running",
	"shut off": "shut off",
	crashed: "crashed",
};

/** `virsh domstate`. */
export const parseState = (text: string): VmState => STATE_WORDS[text.trim()] ?? "other";

/** `virsh dominfo`. A managed save that libvirt cannot tell is an error, not a no. */
export const parseDominfo = (
	text: string,
): { state: VmState; persistent: boolean; managedSave: boolean } => {
	const field = (name: string): string | undefined =>
		linesOf(text)
			.find((line) => line.startsWith(`${name}:`))
			?.slice(name.length + 1)
			.trim();
	const yesNo = (name: string): boolean => {
		const value = field(name);
		if (value !== "yes" && value !== "no") throw unreadable("dominfo", text);
		return value === "yes";
	};
	const state = field("State");
	if (state === undefined) throw unreadable("dominfo", text);
	const persistent = yesNo("Persistent");
	// A transient VM has no managed save; older libvirt prints "unknown" or nothing for it.
	return {
		state: parseState(state),
		persistent,
		managedSave: persistent ? yesNo("Managed save") : field("Managed save") === "yes",
	};
};

/** Names, one a line, as `snapshot-list --name` and `checkpoint-list --name` give them. */
export const parseNames = (text: string): readonly string[] => linesOf(text);

/** A block job as `virsh blockjob --info --raw` shows it; bytes. */
export type BlockJob = { readonly type: string; readonly cur: number; readonly end: number };

/** `virsh blockjob --info --raw`; undefined when the disk has no job. */
export const parseBlockJob = (text: string): BlockJob | undefined => {
	if (text.trim() === "") return undefined;
	const field = (name: string): string | undefined =>
		new RegExp(`^\\s*${name}=(.*)$`, "m").exec(text)?.[1]?.trim();
	const type = field("type");
	const cur = Number(field("cur"));
	const end = Number(field("end"));
	if (type === undefined || !Number.isFinite(cur) || !Number.isFinite(end)) {
		throw unreadable("blockjob", text);
	}
	return { type, cur, end };
};

/** `virsh version --daemon`. */
export const parseVersions = (text: string): { libvirt: string; qemu: string } => {
	const libvirt = /^Running against daemon: (\S+)$/m.exec(text)?.[1];
	const qemu = /^Running hypervisor: \S+ (\S+)$/m.exec(text)?.[1];
	if (libvirt === undefined || qemu === undefined) throw unreadable("version", text);
	return { libvirt, qemu };
};
