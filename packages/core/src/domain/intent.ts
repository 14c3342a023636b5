import { z } from "zod";
import { hostIdSchema } from "../replication/replica-document.ts";
import { instantSchema } from "./ids.ts";

/** What one host asks of another. Its document is signed by who asks; its id becomes the job's, so that it cannot be done twice. */
export const intentBodySchema = z.looseObject({
	/** The host that is to do it. */
	target: hostIdSchema,
	/** A job's request, as the target parses it. */
	request: z.looseObject({ type: z.string() }),
	/** Who asked on that host, as stated. */
	user: z.string().max(200),
	at: instantSchema,
});
export type IntentBody = z.infer<typeof intentBodySchema>;
