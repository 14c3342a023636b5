// Pure parts of starting programs: the prefixes that lower a program's priority or tie it to this process, and what to say
// when a program is not installed.
import type { Argv, CommandOptions } from "./run-command.ts";

const LOW_PRIORITY = ["nice", "-n", "10", "ionice", "-t", "-c", "2", "-n", "7"];
const TIED = ["setpriv", "--pdeathsig", "KILL", "--"];

/** The argv with its prefixes. Each prefix replaces itself by the next program, so the pid stays that of the child. */
export const wrapArgv = (
	argv: Argv,
	options: Pick<CommandOptions, "background" | "tied">,
): [string, ...string[]] => {
	const [first, ...rest] = [
		...(options.background === true ? LOW_PRIORITY : []),
		...(options.tied === true ? TIED : []),
		...argv,
	];
	return [first ?? argv[0], ...rest];
};

/** Package that holds a program: Debian's name, then Fedora's where it differs. */
const PACKAGES: Readonly<Record<string, string>> = {
	virsh: "libvirt-clients (Fedora: libvirt-client)",
	"qemu-img": "qemu-utils (Fedora: qemu-img)",
	"qemu-io": "qemu-utils (Fedora: qemu-img)",
	"qemu-storage-daemon": "qemu-system-common or qemu-storage-daemon",
	filefrag: "e2fsprogs",
	getfacl: "acl",
	setfacl: "acl",
	blockdev: "util-linux",
	stat: "coreutils",
	chcon: "coreutils",
};

/** What to say when a program is not installed; undefined when it ran. A prefix (nice, setpriv) reports it by exit code 127. */
export const missingProgram = (
	program: string,
	ending: { readonly exitCode?: number | undefined; readonly code?: string | undefined },
	stderr: string,
): string | undefined => {
	const notFound =
		ending.code === "ENOENT" ||
		(ending.exitCode === 127 && /No such file or directory/.test(stderr));
	if (!notFound) return undefined;
	const holder = PACKAGES[program];
	return `${program} is not installed${holder === undefined ? "" : `: it comes with ${holder}`}`;
};

/** Whether an error says that a program is not installed. */
export const isMissingProgram = (thrown: unknown): boolean =>
	thrown instanceof Error && / is not installed/.test(thrown.message);
