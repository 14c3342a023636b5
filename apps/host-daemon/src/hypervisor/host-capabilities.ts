// What this host can do for a throw-away VM: as whom qemu runs, which CPUs and screens it offers, and what that user may read. Read
// anew each time, since packages are upgraded and mounts change under a running daemon.
import { freemem } from "node:os";
import { asKnibError } from "@knib/core";
import { type Run, textOf } from "./run-command.ts";
import { attributeOf, elementOf, elementsOf, parseXml, textInside } from "./xml-document.ts";

/** Numeric owner of qemu's processes. */
export type QemuUser = { readonly uid: number; readonly gid: number };

/** What libvirt says of the host itself. */
export type HostCapabilities = {
	/** Null where libvirt does not change qemu's user: it runs as libvirtd does. */
	readonly qemuUser: QemuUser | null;
	/** Security models in force, such as `dac`, `selinux`, `apparmor`. */
	readonly securityModels: readonly string[];
};

/** What qemu on this host offers to a VM of one type and machine. */
export type DomainCapabilities = {
	/** CPU models by name, with whether this host can run them. */
	readonly cpuModels: ReadonlyMap<string, boolean>;
	/** CPU modes: `host-passthrough`, `maximum`, … */
	readonly cpuModes: readonly string[];
	/** Models of video devices; null where libvirt does not list them. */
	readonly videoModels: readonly string[] | null;
};

/** A host as validations ask it. */
export interface ValidationMachine {
	capabilities(): Promise<HostCapabilities>;
	/** Undefined when this host cannot run such a VM at all. */
	domainCapabilities(wanted: {
		readonly type: "kvm" | "qemu";
		readonly arch: string;
		readonly machine: string | undefined;
	}): Promise<DomainCapabilities | undefined>;
	/** Bytes of memory that can be had without swapping. */
	freeMemory(): number;
	/** Those of the paths that the user cannot read (a directory: not enter). */
	unreadable(user: QemuUser, paths: readonly string[]): Promise<readonly string[]>;
}

const BASE_LABEL = /^\+?(\d+):\+?(\d+)$/;

/** The host's own part of `virsh capabilities`. */
export const parseCapabilities = (xml: string): HostCapabilities => {
	const models = elementsOf(elementOf(parseXml(xml, "capabilities"), "host"), "secmodel");
	const nameOf = (model: (typeof models)[number]): string =>
		textInside(elementOf(model, "model")).trim();
	const dac = models.find((model) => nameOf(model) === "dac");
	const [, uid, gid] = BASE_LABEL.exec(textInside(elementOf(dac, "baselabel")).trim()) ?? [];
	return {
		qemuUser:
			uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) },
		securityModels: models.map(nameOf),
	};
};

/** What validations need of `virsh domcapabilities`. */
export const parseDomainCapabilities = (xml: string): DomainCapabilities => {
	const root = parseXml(xml, "domainCapabilities");
	const modes = elementsOf(elementOf(root, "cpu"), "mode").filter(
		(mode) => attributeOf(mode, "supported") === "yes",
	);
	const custom = modes.find((mode) => attributeOf(mode, "name") === "custom");
	const video = elementOf(root, "devices", "video");
	const enums = elementsOf(video, "enum").filter((one) => attributeOf(one, "name") === "modelType");
	return {
		cpuModels: new Map(
			elementsOf(custom, "model").map((model) => [
				textInside(model).trim(),
				attributeOf(model, "usable") !== "no",
			]),
		),
		cpuModes: modes.map((mode) => attributeOf(mode, "name") ?? ""),
		videoModels:
			enums.length === 0
				? null
				: enums.flatMap((one) => elementsOf(one, "value").map((value) => textInside(value).trim())),
	};
};

const DEADLINE_MS = 30_000;

type Deps = { readonly run: Run; readonly uri: string };

/** The real {@link ValidationMachine}. */
export const createValidationMachine = ({ run, uri }: Deps): ValidationMachine => {
	const virsh = async (...args: readonly string[]): Promise<string> =>
		textOf(await run(["virsh", "-q", "-c", uri, ...args], { deadlineMs: DEADLINE_MS }));
	const reads = async (user: QemuUser, path: string): Promise<boolean> => {
		const as = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups"];
		const access = path.endsWith("/") ? "-x" : "-r";
		const result = await run(["setpriv", ...as, "--", "test", access, path], {
			deadlineMs: DEADLINE_MS,
			accept: [1],
		});
		return result.exitCode === 0;
	};
	return {
		capabilities: async () => parseCapabilities(await virsh("capabilities")),
		domainCapabilities: async ({ type, arch, machine }) => {
			const chosen = machine === undefined ? [] : [`--machine=${machine}`];
			const args = [`--virttype=${type}`, `--arch=${arch}`, ...chosen];
			try {
				return parseDomainCapabilities(await virsh("domcapabilities", ...args));
			} catch (thrown) {
				// libvirt answered that it has no such emulator, machine or virtualisation.
				if (/^error: (?!failed to connect)/m.test(String(asKnibError(thrown).details["stderr"]))) {
					return undefined;
				}
				throw thrown;
			}
		},
		freeMemory: freemem,
		unreadable: async (user, paths) => {
			const found: string[] = [];
			for (const path of user.uid === 0 ? [] : paths) {
				if (!(await reads(user, path))) found.push(path);
			}
			return found;
		},
	};
};
