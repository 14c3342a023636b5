import {
	KnibError,
	matchIds,
	type Offering,
	type OfferingChanges,
	type OfferingCreateInput,
	type OfferingFilter,
	type OfferingView,
	offeringFieldsSchema,
	offeringSchema,
	orderedSteps,
} from "@knib/core";
import type { VmBody } from "./bodies.ts";
import type { Change } from "./change.ts";
import type { Documents } from "./documents.ts";

/** The name of the offering that `init` makes and that VMs without an assignment get. */
export const DEFAULT_OFFERING = "default";
/** Its id, the same on every host, so that hosts which are paired later have one default offering. */
export const DEFAULT_OFFERING_ID = "00000000-0000-7000-8000-0000defa0170";

type Deps = {
	readonly offerings: Documents<Offering>;
	readonly vms: Documents<VmBody>;
	/** The id of a repository by id or name; rejects with NOT_FOUND. */
	readonly repositoryId: (idOrName: string) => Promise<string>;
	readonly now: () => string;
	readonly uuid: () => string;
};

const isLiving = (offering: Offering): boolean => offering.removedAt === undefined;

const normal = (offering: Offering): Offering => ({
	...offering,
	validationSteps: [...orderedSteps(offering.validationSteps)],
});

/** The offerings of this store: named policies with unique names; deleted ones stay readable. */
export const createOfferingBook = (deps: Deps) => {
	const living = async () => (await deps.offerings.all()).filter(isLiving);
	const assignedVms = async (id: string): Promise<readonly VmBody[]> =>
		[...(await deps.vms.all()), ...(await deps.vms.foreign())].filter((vm) => vm.offering === id);
	const assigned = async (id: string) => (await assignedVms(id)).length;

	const viewOf = async (offering: Offering): Promise<OfferingView> => ({
		...offering,
		vms: await assigned(offering.id),
		default: offering.name === DEFAULT_OFFERING && isLiving(offering),
	});

	/** A living offering by name or part of its id, a removed one by its whole id only. */
	const find = async (text: string): Promise<Offering> => {
		const all = await deps.offerings.all();
		const named = all.filter(isLiving).find((offering) => offering.name === text);
		const whole = named ?? all.find((offering) => offering.id === text);
		if (whole !== undefined) return whole;
		const matches = matchIds(all.filter(isLiving), text, (offering) => offering.id);
		const [only] = matches;
		if (only === undefined) throw new KnibError("NOT_FOUND", `there is no offering ${text}`);
		if (matches.length > 1) {
			const candidates = matches.map((offering) => `${offering.id} ${offering.name}`);
			throw new KnibError("AMBIGUOUS_ID", `${text} matches ${matches.length} offerings`, {
				details: { candidates },
			});
		}
		return only;
	};

	const findLiving = async (text: string): Promise<Offering> => {
		const offering = await find(text);
		if (isLiving(offering)) return offering;
		throw new KnibError(
			"REFUSED",
			`offering ${offering.name} was removed on ${offering.removedAt}`,
		);
	};

	const mustBeFree = async (name: string, except?: string): Promise<void> => {
		const taken = (await living()).some((o) => o.name === name && o.id !== except);
		if (taken) throw new KnibError("EXISTS", `an offering named ${name} exists already`);
	};

	const changeOf = (type: string, offering: Offering, explain: readonly string[]) => ({
		type,
		explain,
		apply: async () => {
			await deps.offerings.put(offering);
			return await viewOf(offering);
		},
	});

	return {
		find,
		findLiving,
		/** Of all offerings, removed ones included. */
		byId: (id: string) => deps.offerings.get(id),
		show: async (text: string) => await viewOf(await find(text)),
		list: async (filter: OfferingFilter): Promise<readonly OfferingView[]> => {
			const flags = ["compress", "validate", "allowQuickRestore", "allowExtractFile"] as const;
			const views = await Promise.all((await deps.offerings.all()).map(viewOf));
			return views
				.filter((view) => filter.showRemoved || isLiving(view))
				.filter((view) => filter.id === undefined || matchIds([view], filter.id, (v) => v.id)[0])
				.filter((view) => flags.every((f) => filter[f] === undefined || view[f] === filter[f]))
				.sort((a, b) => (a.name < b.name ? -1 : 1));
		},
		/** The default offering; rejects with REFUSED before `init`. */
		default: async (): Promise<Offering> => {
			const offering = (await living()).find((o) => o.name === DEFAULT_OFFERING);
			if (offering !== undefined) return offering;
			throw new KnibError("REFUSED", "this host has no default offering", {
				details: { hint: "`knib init` makes one" },
			});
		},
		create: async (
			input: OfferingCreateInput,
			id: string = deps.uuid(),
		): Promise<Change<OfferingView>> => {
			const { dryRun: _, repository, ...fields } = input;
			await mustBeFree(fields.name);
			const offering = normal({
				...offeringFieldsSchema.parse(fields),
				...(repository === undefined ? {} : { repository: await deps.repositoryId(repository) }),
				id,
				createdAt: deps.now(),
			});
			return changeOf("OfferingCreate", offering, [`creates the offering ${offering.name}`]);
		},
		update: async (text: string, changes: OfferingChanges): Promise<Change<OfferingView>> => {
			const before = await findLiving(text);
			if (changes.name !== undefined && changes.name !== before.name) {
				await mustBeFree(changes.name, before.id);
				if (before.name === DEFAULT_OFFERING) {
					throw new KnibError("REFUSED", "the default offering keeps its name");
				}
			}
			const given = Object.entries(changes).filter(([, value]) => value !== undefined);
			const taken = given.filter(([, value]) => value === null).map(([key]) => key);
			const set = Object.fromEntries(given.filter(([, value]) => value !== null));
			if (typeof set["repository"] === "string") {
				set["repository"] = await deps.repositoryId(set["repository"]);
			}
			const kept = Object.entries(before).filter(([key]) => !taken.includes(key));
			const after = normal(offeringSchema.parse({ ...Object.fromEntries(kept), ...set }));
			const words = given.map(([key, value]) =>
				value === null ? `takes ${key} away` : `sets ${key} to ${JSON.stringify(value)}`,
			);
			return changeOf("OfferingUpdate", after, [`changes the offering ${before.name}`, ...words]);
		},
		clone: async (text: string, name: string): Promise<Change<OfferingView>> => {
			const source = await find(text);
			await mustBeFree(name);
			const { removedAt: _, ...fields } = source;
			const copy = { ...fields, id: deps.uuid(), name, createdAt: deps.now() };
			return changeOf("OfferingClone", copy, [`creates ${name} with the fields of ${source.name}`]);
		},
		delete: async (text: string): Promise<Change<OfferingView>> => {
			const offering = await findLiving(text);
			if (offering.name === DEFAULT_OFFERING) {
				throw new KnibError("REFUSED", "the default offering cannot be deleted", {
					details: { hint: "VMs without an assignment need it; change its fields instead" },
				});
			}
			const vms = await assignedVms(offering.id);
			if (vms.length > 0) {
				const message = `offering ${offering.name} is assigned to ${vms.length} VM${vms.length === 1 ? "" : "s"}`;
				throw new KnibError("REFUSED", message, {
					details: {
						vms: vms.map((vm) => vm.id),
						hint: "assign them to another offering first: `knib vm assign VM OFFERING`",
					},
				});
			}
			const removed = { ...offering, removedAt: deps.now() };
			return changeOf("OfferingDelete", removed, [
				`removes the offering ${offering.name}; backups taken under it keep their judgement`,
			]);
		},
	};
};
export type OfferingBook = ReturnType<typeof createOfferingBook>;
