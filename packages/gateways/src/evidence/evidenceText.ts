const maxLength = 300;

/**
 * What a gateway wrote, fit to stand in a log for ever: without addresses, long numbers and keys, and short. Gateways repeat
 * in their messages what they were sent, and mask it as they please.
 */
export const evidenceText = (text: string): string =>
  text
    .replaceAll(/[^\s@<>"']+@[^\s@<>"']+/g, "(address)")
    .replaceAll(/\+?\d(?:[ -]?\d){7,}/g, "(number)")
    .replaceAll(/\b(?:sk|rk|pk|whsec|rzp)_[A-Za-z0-9_*]+/g, "(key)")
    // oxlint-disable-next-line no-control-regex -- control characters have no place in a log
    .replaceAll(/[\u0000-\u001f\u007f]+/g, " ")
    .slice(0, maxLength);
