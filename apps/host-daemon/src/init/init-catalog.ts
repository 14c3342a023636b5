import { basename, resolve } from "node:path";
import type { InitInput, InitView, Outcome } from "@knib/core";
import { carryOut } from "../catalog/change.ts";
import type { Books } from "../catalog/create-catalog.ts";
import { DEFAULT_OFFERING, DEFAULT_OFFERING_ID } from "../catalog/offering-book.ts";

type Place = Pick<InitView, "host" | "config" | "stateDir" | "socket">;

const DEFAULT_FIELDS = {
	name: DEFAULT_OFFERING,
	description: "VMs that are assigned to no offering",
	compress: false,
	compressionLibrary: "zstd",
	compressWhen: "after",
	validate: false,
	validationSteps: ["screenshot"],
	allowQuickRestore: false,
	allowExtractFile: false,
	tracker: "overlay",
	dryRun: false,
} as const;

/** The name for a repository that `init` adds: the one asked for, the directory's, or that with a number. */
const freeName = (wanted: string, path: string, taken: readonly string[]): string => {
	const candidates = [wanted, basename(path), ...taken.map((_, n) => `${basename(path)}-${n + 2}`)];
	return candidates.find((name) => !taken.includes(name)) ?? wanted;
};

/** The first offering and the first repository, where they are missing. Repeatable. */
export const initCatalog = async (
	books: Books,
	place: Place,
	input: InitInput,
): Promise<Outcome<InitView>> =>
	carryOut(
		books.turnstile,
		async () => {
			const known = await books.repositories.known();
			const living = await books.offerings.list({ showRemoved: false });
			const wanted = input.repository;
			const path = wanted === undefined ? undefined : resolve(wanted.path);
			const isNew = path !== undefined && known.every((repository) => repository.path !== path);
			const taken = known.map((repository) => repository.name);
			const repository =
				isNew && wanted !== undefined
					? await books.repositoryChanges.add({
							name: freeName(wanted.name, path, taken),
							path,
							default: false,
						})
					: undefined;
			const offering = living.some(({ name }) => name === DEFAULT_OFFERING)
				? undefined
				: await books.offerings.create(
						{ ...DEFAULT_FIELDS, validationSteps: ["screenshot"] },
						DEFAULT_OFFERING_ID,
					);
			const explain = [...(offering?.explain ?? []), ...(repository?.explain ?? [])];
			return {
				type: "Init",
				explain: explain.length > 0 ? explain : ["all is there: nothing to do"],
				apply: async () => {
					await offering?.apply();
					await repository?.apply();
					const repositories = (await books.repositories.known()).map(({ name }) => name);
					return { ...place, repositories, offering: DEFAULT_OFFERING, made: explain };
				},
			};
		},
		input.dryRun,
	);
