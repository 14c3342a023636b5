// Reads what compressions and deletions depend on: the backup in its repository, who uses its chain, and the images. Nothing is written.
import {
	type AdmissionFacts,
	type BackupView,
	type Chain,
	type CompressionFacts,
	chainEndReason,
	type DeleteBackupRequest,
	type DeleteFacts,
	type FinalizeCompressionRequest,
	type FinalizeFacts,
	type Layer,
	membersOfChain,
	offeringFieldsSchema,
	type PublishedBackup,
	type Repository,
	type ServiceSubject,
	type StartCompressionFacts,
	type StartCompressionRequest,
	type VmFacts,
} from "@knib/core";
import type { JobDeps } from "../jobs/context.ts";
import { gatherChains, openChainFacts } from "./gather-chain.ts";
import { gatherDisks } from "./gather-vm.ts";

const MEGABYTE = 1_000_000;

type Found = { readonly subject: ServiceSubject; readonly repository: Repository };

/** A backup of the view in its repository; null when that holds it no more. Rejects when the repository does not answer. */
export const findSubject = async (
	deps: Pick<JobDeps, "catalog">,
	view: Pick<BackupView, "id" | "vm" | "chain" | "repository">,
): Promise<Found | null> => {
	if (view.repository === null || view.chain === null) return null;
	const known = (await deps.catalog.repositories()).find((one) => one.name === view.repository);
	if (known === undefined) return null;
	const repository = await deps.catalog.open(known.id);
	const chain = (await repository.chains(view.vm.uuid)).find((one) => one.id === view.chain);
	const backup = chain?.members.find((one) => one.manifest.identity.id === view.id);
	if (chain === undefined || backup === undefined) return null;
	return {
		subject: { backup, chain, repository: { id: known.id, name: known.name } },
		repository,
	};
};

/** What admission asks of a chain in its repository. `self` is the job that asks. */
export const gatherAdmission = async (
	deps: Pick<JobDeps, "activities">,
	repository: Pick<Repository, "holds">,
	chain: Chain,
	self: string | undefined,
): Promise<AdmissionFacts> => ({
	vm: chain.vm,
	members: membersOfChain(chain),
	ended: chainEndReason(chain) !== null,
	activities: deps.activities?.() ?? [],
	holds: await repository.holds(chain.vm, chain.id),
	...(self === undefined ? {} : { self }),
});

const nobody = (vm: string): AdmissionFacts => ({
	vm,
	members: [],
	ended: true,
	activities: [],
	holds: [],
});

const libraryOf = (backup: PublishedBackup): "zstd" | "zlib" => {
	const schema = offeringFieldsSchema.shape.compressionLibrary;
	const parsed = schema.safeParse(backup.manifest.offering["compressionLibrary"]);
	return parsed.success ? parsed.data : "zstd";
};

type Images = Pick<CompressionFacts, "images" | "compressed">;

const gatherImages = async (deps: JobDeps, { subject, repository }: Found): Promise<Images> => {
	const { backup } = subject;
	const { layers } = backup.manifest.generation;
	const info = async (layer: Layer) =>
		[layer.target, await deps.images.info(`${backup.path}/${layer.file}`, "qcow2")] as const;
	const beside = async ({ target }: Layer) => {
		const path = repository.compressedPath(backup, target);
		return [target, { path, there: await deps.images.exists(path) }] as const;
	};
	return {
		images: new Map(await Promise.all(layers.map(info))),
		compressed: new Map(await Promise.all(layers.map(beside))),
	};
};

const NOTHING: Omit<CompressionFacts, "view" | "admission"> = {
	found: null,
	library: "zstd",
	images: new Map(),
	compressed: new Map(),
	switching: false,
	free: 0,
	minimumFree: 0,
	coroutines: 1,
	rate: 0,
};

const gatherCompression = async (
	deps: JobDeps,
	text: string,
	self: string | undefined,
): Promise<CompressionFacts> => {
	const { catalog } = deps;
	const view = await catalog.findBackup(text);
	const found = await findSubject(deps, view);
	if (found === null) return { ...NOTHING, view, admission: nobody(view.vm.uuid) };
	const { subject, repository } = found;
	const scope = { vm: view.vm.uuid };
	return {
		view,
		found: subject,
		admission: await gatherAdmission(deps, repository, subject.chain, self),
		library: libraryOf(subject.backup),
		...(await gatherImages(deps, found)),
		switching: await repository.switching(subject.backup),
		free: (await repository.state()).free,
		minimumFree: await catalog.setting("backup.compression.minimum.free.storage", scope),
		coroutines: await catalog.setting("backup.compression.coroutines", scope),
		rate: MEGABYTE * (await catalog.setting("backup.compression.rate.limit", scope)),
	};
};

/** Everything that decides phase 1. */
export const gatherStartCompression = async (
	deps: JobDeps,
	request: StartCompressionRequest,
	self?: string,
): Promise<StartCompressionFacts> => ({
	...(await gatherCompression(deps, request.backup, self)),
	request,
});

/** Everything that decides phase 2. */
export const gatherFinalize = async (
	deps: JobDeps,
	request: FinalizeCompressionRequest,
	self?: string,
): Promise<FinalizeFacts> => ({
	...(await gatherCompression(deps, request.backup, self)),
	request,
});

/** The VM of a backup with its disks, when this host has it and its open chain may end. */
const gatherVm = async (deps: JobDeps, uuid: string): Promise<VmFacts | null> => {
	const vm = await deps.hypervisor.vm(uuid);
	if (vm === undefined) return null;
	const chains = await gatherChains(deps.catalog, uuid);
	return {
		vm,
		disks: await gatherDisks(deps.images, vm),
		open: await openChainFacts(chains.read),
	};
};

/** Everything that decides a deletion. */
export const gatherDelete = async (
	deps: JobDeps,
	request: DeleteBackupRequest,
	self?: string,
): Promise<DeleteFacts> => {
	const view = await deps.catalog.findBackup(request.backup);
	const found = await findSubject(deps, view);
	if (found === null) {
		return { request, view, found, admission: nobody(view.vm.uuid), vm: null };
	}
	const { subject, repository } = found;
	const isNewest = subject.chain.members.at(-1) === subject.backup;
	const open = chainEndReason(subject.chain) === null;
	return {
		request,
		view,
		found: subject,
		admission: await gatherAdmission(deps, repository, subject.chain, self),
		vm: open && isNewest ? await gatherVm(deps, view.vm.uuid) : null,
	};
};
