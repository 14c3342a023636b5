import type { SelectorExplained, SelectorView } from "@knib/core";
import { facts, table } from "./table.ts";
import { safe, short } from "./text.ts";

const repositoryOf = ({ repository: { id, name, here } }: SelectorView): string =>
	`${name ?? short(id)}${here ? "" : " (not on this host)"}`;

const COLUMNS = [
	{ head: "PRIORITY", cell: ({ priority }: SelectorView) => priority },
	{ head: "NAME", cell: ({ name }: SelectorView) => name },
	{ head: "ID", cell: ({ id }: SelectorView) => short(id) },
	{ head: "MATCH", cell: ({ match }: SelectorView) => match.join(" and ") },
	{ head: "REPOSITORY", cell: repositoryOf },
];

/** In the order in which they are asked. */
export const selectorsText = (selectors: readonly SelectorView[]): string =>
	table(selectors, COLUMNS);

/** All fields of a selector. */
export const selectorText = (view: SelectorView): string =>
	facts([
		["name", view.name],
		["id", view.id],
		["priority", view.priority],
		["match", view.match.join(" and ")],
		["repository", repositoryOf(view)],
	]);

type Judged = SelectorExplained["selectors"][number];

const JUDGED = [
	...COLUMNS.filter(({ head }) => head !== "ID" && head !== "MATCH"),
	{ head: "MATCHES", cell: ({ matches }: Judged) => (matches ? "yes" : "no") },
	{ head: "WHY", cell: ({ why }: Judged) => why.join(", ") },
];

/** What every selector says of a VM, and what is chosen. */
export const explainedText = (explained: SelectorExplained): string => {
	const { vm, offering, selectors, repository, reason, error, openChain } = explained;
	const tags = vm.tags.length === 0 ? "no tags" : `tags ${vm.tags.join(", ")}`;
	const stays =
		openChain === null
			? []
			: [
					`chain ${short(openChain.id)} is open in ${openChain.repository} and stays there until it ends`,
				];
	return [
		safe(`VM ${vm.name}: offering ${offering.name}, ${tags}`),
		selectors.length === 0 ? "there is no selector" : table<Judged>(selectors, JUDGED),
		safe(
			repository === null
				? `the next chain: none. ${error?.message}; ${error?.hint}`
				: `the next chain: repository ${repository.name}, ${reason}`,
		),
		...stays.map(safe),
	].join("\n");
};
