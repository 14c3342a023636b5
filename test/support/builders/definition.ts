// Definitions for the tests of a restored VM's: libvirt's own output as fixtures, and small ones by hand.
import { readFileSync } from "node:fs";
import {
	type NewDefinitionInput,
	newDefinition,
} from "../../../apps/host-daemon/src/hypervisor/new-definition.ts";

const FIXTURES = new URL("../../fixtures/definitions/", import.meta.url);

/** A definition as `virsh dumpxml --inactive --security-info` wrote it; the TPM in `everything` was put in by hand, where no swtpm was installed. */
export const fixture = (name: "everything" | "firmware-auto" | "plain"): string =>
	readFileSync(new URL(`${name}-libvirt-9.0.xml`, FIXTURES), "utf8");

/** A domain with these devices and these other parts. */
export const aDomain = (devices: string, parts = ""): string =>
	`<domain type='kvm'><name>a</name><uuid>11111111-2222-4333-8444-555555555555</uuid>${parts}<devices>${devices}</devices></domain>`;

export const newInput = (override: Partial<NewDefinitionInput> = {}): NewDefinitionInput => ({
	xml: fixture("everything"),
	live: null,
	name: "copy of <it> & more",
	uuid: "0196f000-0000-7000-8000-0000000000aa",
	genid: "0196f000-0000-7000-8000-0000000000ab",
	disks: ["vda", "vdb", "sda"].map((target) => ({ target, path: `/new/copy-${target}.qcow2` })),
	nvram: "/new/copy_VARS.fd",
	tpmState: true,
	keepMac: false,
	macs: [1, 2, 3, 4].map((n) => `52:54:00:00:00:0${n}`),
	connect: (network) => network,
	...override,
});

/** What becomes of one device. */
export const withDevice = (
	device: string,
	override: Partial<NewDefinitionInput> = {},
): ReturnType<typeof newDefinition> =>
	newDefinition(newInput({ xml: aDomain(device), disks: [], ...override }));

/** What becomes of one part of a domain. */
export const withPart = (
	part: string,
	override: Partial<NewDefinitionInput> = {},
): ReturnType<typeof newDefinition> =>
	newDefinition(newInput({ xml: aDomain("", part), disks: [], ...override }));
