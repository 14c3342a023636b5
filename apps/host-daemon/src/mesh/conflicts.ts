import {
	bodyOfShared,
	type ConflictView,
	DOCUMENT_KINDS,
	hlcMilliseconds,
	isSelectorId,
	memberOf,
	type Register,
	SELECTOR_PREFIX,
	type SharedDocument,
	sharedConflicts,
	writingWay,
} from "@knib/core";
import type { Replica } from "@knib/sync";

/** Fields that differ wherever two hosts have made the same thing, and that nobody decides on. */
const OF_NO_MATTER: readonly string[] = ["createdAt"];

const viewsOf = (
	document: SharedDocument,
	nameOf: (host: string) => string,
): readonly ConflictView[] => {
	const view = ({ value, writer, hlc }: Register) => ({
		value,
		host: nameOf(writer),
		at: new Date(hlcMilliseconds(hlc)).toISOString(),
	});
	const isSelector = document.kind === "repository" && isSelectorId(document.id);
	const kind = isSelector ? "selector" : document.kind;
	const id = isSelector ? document.id.slice(SELECTOR_PREFIX.length) : document.id;
	const said = bodyOfShared(document)?.["name"];
	const name = typeof said === "string" ? said : null;
	return sharedConflicts(document)
		.filter(({ field }) => !OF_NO_MATTER.includes(field))
		.map(({ field, kept, lost }) => ({
			kind,
			id,
			name,
			field,
			kept: view(kept),
			lost: view(lost),
		}));
};

/** What hosts have set to different values without knowing of each other, and nobody has settled by setting it again. */
export const listConflicts = async (
	replica: Replica,
	nameOf: (host: string) => string,
): Promise<readonly ConflictView[]> => {
	const kinds = DOCUMENT_KINDS.filter((kind) => writingWay(kind) === "shared");
	const all = await Promise.all(kinds.map((kind) => replica.list(kind)));
	return all
		.flat()
		.filter((one): one is SharedDocument => one.way === "shared" && memberOf(one.id) === undefined)
		.flatMap((document) => viewsOf(document, nameOf));
};
