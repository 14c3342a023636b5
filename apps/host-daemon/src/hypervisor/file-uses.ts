// Every file that some VM of this host names: live and inactive definitions with their backing chains, snapshot metadata,
// managed-save images, and what the headers of those images stand on (SAFETY F2). What cannot be read is a rejection that names
// it (I10), since an answer that lacks a file would let it be written or removed.
import { type FileUse, KnibError } from "@knib/core";
import { disksOfDomain, imagesOfDisk, nvramOf, targetOf, type XmlImage } from "./domain-images.ts";
import { type VolumePlace, volumeKey } from "./domain-xml.ts";
import { attempt, errnoOf, identityOf, mapLimited, readHead } from "./files.ts";
import { HEADER_BYTES, type Qcow2Links, readQcow2Links } from "./qcow2-header.ts";
import { virshArgv } from "./virsh-argv.ts";
import type { Virsh } from "./virsh-client.ts";
import { parseDominfo, parseList } from "./virsh-parse.ts";
import { readDefinitions, readSnapshots, resolveVolumes } from "./vm-picture.ts";
import { elementOf, parseXml, type XmlElement } from "./xml-document.ts";

type Named = Omit<FileUse, "file"> & {
	/** Format that the definition says; a raw image's bytes are the guest's and name nothing. */
	readonly format?: string;
	/** The VM runs: the file must be there. */
	readonly needed: boolean;
};

const VMS_AT_ONCE = 4;
const DEEPEST = 200;
const TRIES = 5;

const pathOf = (image: XmlImage, volumes: ReadonlyMap<string, VolumePlace>): string | undefined => {
	if ("path" in image.source) return image.source.path;
	return image.source.kind === "volume" ? volumes.get(volumeKey(image.source))?.path : undefined;
};

const usesOfDisk = (
	disk: XmlElement,
	context: {
		readonly vm: string;
		readonly where: FileUse["where"];
		readonly needed: boolean;
		readonly volumes: ReadonlyMap<string, VolumePlace>;
	},
): readonly Named[] => {
	const readonly = elementOf(disk, "readonly") !== undefined;
	const target = targetOf(disk);
	return imagesOfDisk(disk).flatMap((image): readonly Named[] => {
		const path = pathOf(image, context.volumes);
		if (path === undefined) return [];
		return [
			{
				path,
				vm: context.vm,
				target,
				where: image.role === "below" ? "backing" : context.where,
				writable: image.role !== "below" && !readonly,
				needed: context.needed,
				...(image.format === undefined ? {} : { format: image.format }),
			},
		];
	});
};

const usesOfDefinition = async (
	virsh: Virsh,
	xml: string,
	context: { vm: string; where: FileUse["where"]; needed: boolean },
): Promise<readonly Named[]> => {
	const domain = parseXml(xml, "domain");
	const volumes = await resolveVolumes(virsh, [xml]);
	const nvram = nvramOf(domain);
	const uses = disksOfDomain(domain).flatMap((disk) => usesOfDisk(disk, { ...context, volumes }));
	const { vm, where } = context;
	return nvram === undefined
		? uses
		: [...uses, { path: nvram, vm, where, writable: true, format: "raw", needed: false }];
};

type Info = ReturnType<typeof parseDominfo>;

const usesNow = async (virsh: Virsh, uuid: string, info: Info): Promise<readonly Named[]> => {
	const [xml, snapshots] = await Promise.all([
		readDefinitions(virsh, uuid),
		readSnapshots(virsh, uuid),
	]);
	const of = (definition: string, where: FileUse["where"], needed = false) =>
		usesOfDefinition(virsh, definition, { vm: uuid, where, needed });
	const saved = info.managedSave ? await virsh(virshArgv.managedSaveXml(uuid)) : undefined;
	const uses = await Promise.all([
		of(xml.inactive, "inactive"),
		xml.live === undefined ? [] : of(xml.live, "live", true),
		saved === undefined ? [] : of(saved, "managed save"),
	]);
	const named = snapshots.flatMap(({ files, frozen }) =>
		files.map((path): Named => {
			const writable = !frozen.includes(path);
			return { path, vm: uuid, where: "snapshot", writable, needed: false };
		}),
	);
	return [...uses.flat(), ...named];
};

const sameInfo = (a: Info, b: Info): boolean =>
	a.state === b.state && a.managedSave === b.managedSave && a.persistent === b.persistent;

/** Read again when the VM started, stopped or was saved meanwhile: a definition could have been missed between two questions. */
const usesOfVm = async (virsh: Virsh, uuid: string): Promise<readonly Named[]> => {
	const ask = async (): Promise<Info> => parseDominfo(await virsh(virshArgv.dominfo(uuid)));
	let before = await ask();
	for (let left = TRIES; left > 0; left -= 1) {
		const uses = await Promise.allSettled([usesNow(virsh, uuid, before)]);
		const after = await ask();
		if (sameInfo(before, after)) {
			const [result] = uses;
			if (result.status === "fulfilled") return result.value;
			throw result.reason;
		}
		before = after;
	}
	throw new KnibError("VM_STATE", `the VM ${uuid} starts and stops while it is being looked at`);
};

/** A VM that vanished since it was listed names nothing any more. */
const usesOfListed = async (virsh: Virsh, uuid: string): Promise<readonly Named[]> => {
	try {
		return await usesOfVm(virsh, uuid);
	} catch (thrown) {
		if (thrown instanceof KnibError && thrown.code === "VM_NOT_FOUND") return [];
		throw thrown;
	}
};

const linksOf = async (named: Named): Promise<Qcow2Links | undefined> => {
	if (named.format === "raw") return undefined;
	try {
		return readQcow2Links(named.path, await readHead(named.path, HEADER_BYTES));
	} catch (cause) {
		// What a VM that is off names need not exist: the name counts all the same.
		if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause) ?? "") && !named.needed) return undefined;
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new KnibError(
			"COMMAND_FAILED",
			`could not learn which files are in use: ${named.path}, named by the VM ${named.vm}, cannot be read: ${reason}`,
			{ cause },
		);
	}
};

const below = async (named: Named): Promise<readonly Named[]> => {
	const found: Named[] = [];
	let at: Named | undefined = named;
	for (let depth = 0; at !== undefined; depth += 1) {
		if (depth > DEEPEST) {
			throw new KnibError("COMMAND_FAILED", `the chain below ${named.path} does not end`);
		}
		const links: Qcow2Links | undefined = await linksOf(at);
		const { vm, needed } = named;
		const disk = named.target === undefined ? {} : { target: named.target };
		if (links?.dataFile) {
			const { dataFile: path } = links;
			found.push({ path, vm, ...disk, where: "backing", writable: at.writable, needed });
		}
		if (!links?.backing) break;
		const next: Named = {
			path: links.backing,
			vm,
			...disk,
			where: "backing",
			writable: false,
			needed,
			...(links.backingFormat === null ? {} : { format: links.backingFormat }),
		};
		found.push(next);
		at = next;
	}
	return found;
};

const identityOfUse = (use: Omit<FileUse, "file">): Promise<string | null> =>
	attempt(`could not learn which files are in use: ${use.path}`, () => identityOf(use.path));

/** All uses, each once. Rejects with COMMAND_FAILED naming what could not be read, LIBVIRT_UNREACHABLE. */
export const readFileUses = async (virsh: Virsh): Promise<readonly FileUse[]> => {
	const vms = parseList(await virsh(virshArgv.list()));
	const named = (
		await mapLimited(vms, VMS_AT_ONCE, ({ uuid }) => usesOfListed(virsh, uuid))
	).flat();
	const chains = (await mapLimited(named, VMS_AT_ONCE, below)).flat();
	const uses = new Map<string, Omit<FileUse, "file">>();
	for (const { path, vm, target, where, writable } of [...named, ...chains]) {
		const disk = target === undefined ? {} : { target };
		const use = { path, vm, ...disk, where, writable };
		uses.set(JSON.stringify(Object.values(use)), use);
	}
	return await mapLimited([...uses.values()], VMS_AT_ONCE, async (use) => ({
		...use,
		file: await identityOfUse(use),
	}));
};
