/** What a model costs in a line: by tokens, or by the piece where tokens are not what is sold. */
import { useTranslation } from "react-i18next";

import type { ModelPrice } from "@/api/types";
import { Money } from "@/parts/figures";

export type Unit = "ktok" | "mtok";

/** What a second, a picture, a character or a request costs when no condition holds, as lists have it, too. */
export const pieceOf = (price: ModelPrice) => price.tiers.at(-1)?.rates.find((rate) => rate.per_piece_yuan !== null);

/** Whether any tier has a rate by tokens. */
export const byTokens = (price: ModelPrice): boolean =>
  price.tiers.some(({ rates }) => rates.some((rate) => rate.per_piece_yuan === null));

export function PriceCell({ price, side, unit }: { price: ModelPrice | null; side: "input" | "output"; unit: Unit }) {
  const { t } = useTranslation();
  if (!price) return <span className="text-faint">{t("models.unpriced")}</span>;
  const value = price[`${side}_per_${unit}_yuan`];
  const piece = side === "output" && value === null ? pieceOf(price) : undefined;
  const shown = piece?.per_piece_yuan ?? value;
  if (shown === null) return <span className="text-faint">–</span>;
  return (
    <span className="whitespace-nowrap">
      <Money value={shown} />
      {piece && <span className="text-[12px] text-faint lowercase"> {piece.title}</span>}
      {price.tiered && <span title={t("models.tiered")}> ⁺</span>}
    </span>
  );
}
