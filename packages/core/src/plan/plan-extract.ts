// Decides an extraction of files: from which layer, what, to where, and why it may not be (SPEC 6.6). Pure. What the file systems
// hold is not known yet: that is found out by the step that reads them.
import type { ExtractFilesRequest } from "../api/job-request.ts";
import { guestPath, shownName } from "../domain/file-name.ts";
import { asKnibError } from "../errors.ts";
import type { Outcomes } from "../machine/journal-entry.ts";
import { type FilesSubject, readableDisk } from "./files-refusals.ts";
import { isRefusal, type PlanBase, type Refusal, refuse } from "./plan.ts";

/** Files of a backup brought into a directory of this host. */
export type ExtractPlan = PlanBase & {
	readonly type: "ExtractFiles";
	readonly backup: string;
	readonly chain: string;
	readonly disk: string;
	readonly partition: string | null;
	/** As asked for: shown names. */
	readonly paths: readonly string[];
	readonly directory: string;
	/** A directory of this job's own in it, in which the files are made. */
	readonly staging: string;
	readonly overwrite: boolean;
};

export type ExtractFacts = FilesSubject & {
	readonly request: ExtractFilesRequest;
	readonly directory: {
		readonly state: "there" | "missing";
		/** Why nothing can be written there, in words; null when it can. */
		readonly problem: string | null;
		/** Raw names that exist in it. */
		readonly taken: readonly string[];
	};
	/** Id of the staging directory. */
	readonly uuid: string;
};

/** Name of the directory in which an extraction makes its files. */
export const stagingName = (uuid: string): string => `.knib-extract-${uuid}`;

/** Raw names that the paths get in the directory; the root's own files have theirs. */
const topNames = (paths: readonly string[]): readonly string[] =>
	paths.flatMap((path) => guestPath(path).slice(-1));

const ofPaths = ({ request, directory }: ExtractFacts): Refusal | undefined => {
	try {
		const names = topNames(request.paths);
		const twice = names.find((name, index) => names.indexOf(name) !== index);
		if (twice !== undefined) {
			return refuse(
				"USAGE",
				`two of the paths end in ${shownName(twice)}: extract them one by one`,
			);
		}
		const taken = names.filter((name) => directory.taken.includes(name)).map(shownName);
		if (taken.length === 0 || request.overwrite) return undefined;
		return refuse("EXISTS", `${request.directory} holds ${taken.join(", ")} already`, {
			taken,
			hint: "extract to another directory, or let files be replaced with --overwrite",
		});
	} catch (thrown) {
		const { code, message, details } = asKnibError(thrown);
		return refuse(code, message, details);
	}
};

/** Decides an extraction. Refuses with REFUSED, NOT_FOUND, VERIFY_FAILED, USAGE, EXISTS; nothing has been written then. */
export const planExtract = (facts: ExtractFacts): ExtractPlan | Refusal => {
	const { request, found, view, directory } = facts;
	const readable = readableDisk(facts, request.disk);
	if (isRefusal(readable)) return readable;
	const refusal = ofPaths(facts);
	if (refusal !== undefined) return refusal;
	if (directory.problem !== null) {
		return refuse("REFUSED", `${request.directory} cannot take the files: ${directory.problem}`);
	}
	if (found === null) return refuse("INTERNAL", `backup ${view.id} was neither found nor refused`);
	const { vm, identity } = found.backup.manifest;
	const partition = request.partition ?? null;
	const from = `${request.disk}${partition === null ? "" : `, partition ${partition}`}`;
	return {
		type: "ExtractFiles",
		vm: { uuid: found.chain.vm, name: vm.name },
		repository: found.repository,
		reason: `files of ${vm.name} as of ${identity.pointInTime}, from ${from}`,
		explain: [
			`an appliance VM without a network reads ${readable.layers[0]?.path ?? ""} and all below it, read-only`,
			...request.paths.map((path) => `${path} goes to ${request.directory}`),
			request.overwrite ? "files that are there are replaced" : "nothing that is there is replaced",
			"links that lead out of what is extracted, devices, pipes and sockets are left out",
		],
		warnings: [],
		steps: [{ kind: "hold" }, { kind: "fetch-files" }, { kind: "place-files" }],
		backup: view.id,
		chain: found.chain.id,
		disk: request.disk,
		partition,
		paths: request.paths,
		directory: request.directory,
		staging: `${request.directory.replace(/\/+$/, "")}/${stagingName(facts.uuid)}`,
		overwrite: request.overwrite,
	};
};

/** What `files extract` prints. */
export const extractResult = (plan: ExtractPlan, outcomes: Outcomes): Record<string, unknown> => ({
	backup: plan.backup,
	vm: plan.vm,
	disk: plan.disk,
	directory: plan.directory,
	...(outcomes.extracted ?? {}),
});
