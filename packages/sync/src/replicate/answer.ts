import type { ReplicaDocument } from "@knib/core";
import type { Frame, FrameOf } from "../wire/frames.ts";
import type { Replica } from "./replica.ts";

/** Longer answers are made shorter, down to one document. */
const LONGEST_ANSWER = 4 * 1024 * 1024;

/** The text of the answer to a peer's question, without what `isKnown` says that the peer has. */
export const answerSince = async (
	replica: Replica,
	question: FrameOf<"since">,
	isKnown: (document: ReplicaDocument) => boolean,
): Promise<string> => {
	const { id, kind, checkpoint } = question;
	for (let limit = question.limit; ; limit = Math.ceil(limit / 2)) {
		const page = await replica.since(kind, checkpoint, limit);
		const documents = page.documents.filter((document) => !isKnown(document));
		const frame: Frame = { type: "docs", id, kind, ...page, documents };
		const text = JSON.stringify(frame);
		if (limit === 1 || text.length <= LONGEST_ANSWER) return text;
	}
};
