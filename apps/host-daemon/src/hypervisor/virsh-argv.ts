// Arguments of every virsh call that knib makes. VMs are named by uuid only, since virsh takes a number for an id. Values that
// could begin with a dash are given as `--option=value`; XML comes by /dev/stdin.
const DEFINITION = "/dev/stdin";

export const virshArgv = {
	versions: () => ["version", "--daemon"],
	list: () => ["list", "--all", "--uuid", "--name"],
	states: () => ["domstats", "--state"],
	networks: (which: "all" | "active") => [
		"net-list",
		"--name",
		...(which === "all" ? ["--all"] : []),
	],
	state: (uuid: string) => ["domstate", uuid],
	stateReason: (uuid: string) => ["domstate", uuid, "--reason"],
	dominfo: (uuid: string) => ["dominfo", uuid],
	dumpxml: (uuid: string, which: "current" | "inactive") => [
		"dumpxml",
		uuid,
		"--security-info",
		...(which === "inactive" ? ["--inactive"] : []),
	],
	managedSaveXml: (uuid: string) => ["managedsave-dumpxml", uuid, "--security-info"],
	snapshots: (uuid: string) => ["snapshot-list", uuid, "--name"],
	snapshotXml: (uuid: string, name: string) => [
		"snapshot-dumpxml",
		uuid,
		`--snapshotname=${name}`,
		"--security-info",
	],
	checkpoints: (uuid: string) => ["checkpoint-list", uuid, "--name"],
	volumePath: (pool: string, volume: string) => ["vol-path", `--pool=${pool}`, `--vol=${volume}`],
	/** Removing what is not there changes nothing, but waits for the VM's job lock (measured on libvirt 9.0). */
	barrier: (uuid: string, where: "live" | "config") => [
		"metadata",
		uuid,
		"--uri=https://knib.invalid/barrier",
		"--remove",
		`--${where}`,
	],
	snapshot: (uuid: string) => [
		"snapshot-create",
		uuid,
		DEFINITION,
		"--disk-only",
		"--no-metadata",
		"--atomic",
		"--reuse-external",
	],
	blockcommit: (
		uuid: string,
		disk: { target: string; base: string; top: string; active: boolean },
	) => [
		"blockcommit",
		uuid,
		disk.target,
		`--base=${disk.base}`,
		...(disk.active ? ["--active"] : [`--top=${disk.top}`]),
	],
	blockjob: (uuid: string, target: string) => ["blockjob", uuid, target, "--info", "--raw"],
	pivot: (uuid: string, target: string) => ["blockjob", uuid, target, "--pivot"],
	abort: (uuid: string, target: string) => ["blockjob", uuid, target, "--abort"],
	blockpull: (uuid: string, target: string, rate: number) => [
		"blockpull",
		uuid,
		target,
		...(rate > 0 ? [`--bandwidth=${rate}`, "--bytes"] : []),
	],
	define: () => ["define", DEFINITION],
	undefine: (uuid: string, keep: { nvram: boolean; tpm: boolean }) => [
		"undefine",
		uuid,
		"--snapshots-metadata",
		"--checkpoints-metadata",
		keep.nvram ? "--keep-nvram" : "--nvram",
		...(keep.tpm ? ["--keep-tpm"] : []),
	],
	create: () => ["create", DEFINITION],
	start: (uuid: string) => ["start", uuid],
	shutdown: (uuid: string) => ["shutdown", uuid],
	destroy: (uuid: string) => ["destroy", uuid],
	suspend: (uuid: string) => ["suspend", uuid],
	resume: (uuid: string) => ["resume", uuid],
	attach: (uuid: string, where: readonly ("live" | "config")[]) => [
		"attach-device",
		uuid,
		DEFINITION,
		...where.map((one) => `--${one}`),
	],
	screenshot: (uuid: string, file: string) => ["screenshot", uuid, `--file=${file}`],
	agent: (uuid: string, command: string, seconds: number) => [
		"qemu-agent-command",
		uuid,
		command,
		"--timeout",
		String(Math.max(1, seconds)),
	],
} as const satisfies Record<string, (...parts: never[]) => readonly string[]>;

const escapeXml = (text: string): string =>
	text.replace(/[<>&'"]/g, (char) => `&#${char.codePointAt(0)};`);

/** XML of an atomic snapshot: the given disks onto their overlays, all others left alone. */
export const snapshotXml = (
	overlays: readonly { target: string; path: string }[],
	targets: readonly string[],
): string => {
	const disks = targets.map((target) => {
		const overlay = overlays.find((one) => one.target === target);
		const name = escapeXml(target);
		return overlay === undefined
			? `<disk name='${name}' snapshot='no'/>`
			: `<disk name='${name}' snapshot='external' type='file'><driver type='qcow2'/><source file='${escapeXml(overlay.path)}'/></disk>`;
	});
	return `<domainsnapshot><disks>${disks.join("")}</disks></domainsnapshot>`;
};
