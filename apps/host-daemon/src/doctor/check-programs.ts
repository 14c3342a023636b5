import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { type Check, type CheckDeps, failure, ok, warning, wordsOf } from "./check.ts";

/** Programs that knib runs, with the Debian and the Fedora package that holds each. */
const PROGRAMS = [
	["virsh", "libvirt-clients", "libvirt-client"],
	["qemu-img", "qemu-utils", "qemu-img"],
	["qemu-storage-daemon", "qemu-system-common", "qemu-storage-daemon"],
	["setpriv", "util-linux", "util-linux"],
	["nice", "coreutils", "coreutils"],
	["ionice", "util-linux", "util-linux-core"],
	["filefrag", "e2fsprogs", "e2fsprogs"],
	["getfacl", "acl", "acl"],
	["setfacl", "acl", "acl"],
] as const;

const isExecutable = (path: string): Promise<boolean> =>
	access(path, constants.X_OK).then(
		() => true,
		() => false,
	);

/** A program on the path; undefined when it is not there. */
export const findProgram = async (
	program: string,
	env: CheckDeps["env"],
): Promise<string | undefined> => {
	for (const directory of (env["PATH"] ?? "/usr/bin:/bin").split(":")) {
		const path = join(directory, program);
		if (directory !== "" && (await isExecutable(path))) return path;
	}
	return undefined;
};

/** Every program is there; a missing one is named with the command that installs it. */
export const checkPrograms: Check = async ({ env }) => {
	const apt = (await findProgram("dnf", env)) === undefined;
	const findings = await Promise.all(
		PROGRAMS.map(async ([program, debian, fedora]) => {
			if ((await findProgram(program, env)) !== undefined) return undefined;
			const install = apt ? `apt-get install ${debian}` : `dnf install ${fedora}`;
			return failure("programs", `${program} is not installed`, install);
		}),
	);
	const missing = findings.filter((finding) => finding !== undefined);
	return missing.length > 0 ? missing : [ok("programs", "all programs are installed")];
};

/** knib's own Node is one of those it supports. */
export const checkNode: Check = async ({ nodeVersion }) => {
	const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
	const fits = (major === 22 && minor >= 20) || (major === 24 && minor >= 12) || major >= 26;
	if (fits) return [ok("node", `Node ${nodeVersion}`)];
	return [
		failure(
			"node",
			`Node ${nodeVersion} is not supported`,
			"install Node 24 from https://nodejs.org",
		),
	];
};

const OLDEST_QEMU = [5, 2] as const;
const TESTED_QEMU = [7, 2] as const;

const isOlder = (
	[major, minor]: readonly [number, number],
	than: readonly [number, number],
): boolean => major < than[0] || (major === than[0] && minor < than[1]);

/** Reads `qemu-img version 7.2.22 (Debian …)`. */
export const parseQemuVersion = (text: string): readonly [number, number] | undefined => {
	const match = /version (\d+)\.(\d+)/.exec(text);
	return match?.[1] === undefined || match[2] === undefined
		? undefined
		: [Number(match[1]), Number(match[2])];
};

/** qemu is new enough for overlays with sub-clusters. */
export const checkQemu: Check = async ({ run }) => {
	try {
		const { stdout } = await run(["qemu-img", "--version"], { deadlineMs: 10_000 });
		const version = parseQemuVersion(Buffer.from(stdout).toString("utf8"));
		if (version === undefined) return [warning("qemu", "the version of qemu cannot be read")];
		const words = `qemu ${version.join(".")}`;
		if (isOlder(version, OLDEST_QEMU)) {
			return [failure("qemu", `${words} is too old: 5.2 is the oldest that works`, "upgrade qemu")];
		}
		if (isOlder(version, TESTED_QEMU))
			return [warning("qemu", `${words}: knib is tested with 7.2 and newer`)];
		return [ok("qemu", words)];
	} catch (error) {
		return [failure("qemu", wordsOf(error), null)];
	}
};

/** libvirt answers on the configured URI. */
export const checkLibvirt: Check = async ({ run, config, uid }) => {
	const uri = config.libvirtUri;
	try {
		const { stdout } = await run(["virsh", "-q", "-c", uri, "version"], { deadlineMs: 15_000 });
		const library = /library: libvirt (\S+)/i.exec(Buffer.from(stdout).toString("utf8"));
		return [ok("libvirt", `libvirt ${library?.[1] ?? ""} answers on ${uri}`)];
	} catch (error) {
		const fix =
			uid === 0
				? "systemctl enable --now libvirtd.socket (Debian: apt-get install libvirt-daemon-system)"
				: "run as root, or as a member of the group libvirt";
		return [failure("libvirt", `libvirt does not answer on ${uri}: ${wordsOf(error)}`, fix)];
	}
};

/** Nothing is deleted on account of time while the clock is not believable, so an unsynchronised one is worth a word. */
export const checkClock: Check = async ({ run }) => {
	try {
		const argv = ["timedatectl", "show", "-p", "NTPSynchronized", "--value"] as const;
		const { stdout } = await run(argv, { deadlineMs: 10_000 });
		if (Buffer.from(stdout).toString("utf8").trim() === "yes") {
			return [ok("clock", "the clock is synchronised")];
		}
		return [warning("clock", "the clock is not synchronised", "timedatectl set-ntp true")];
	} catch {
		return [warning("clock", "whether the clock is synchronised cannot be told")];
	}
};
