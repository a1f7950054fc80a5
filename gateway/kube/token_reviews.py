"""Whose a token is, as the API server of a cluster knows it."""

from collections.abc import Mapping, Sequence

from gateway.kube.client import KubeClient
from gateway.kube.resources import TOKEN_REVIEWS


class ClusterTokenReviews:
    """Implements ``gateway.access.reviewed_tokens.ReviewsTokens``.

    Source: kubernetes staging/src/k8s.io/api/authentication/v1/types.go.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def review(self, token: str, audiences: Sequence[str]) -> Mapping[str, object]:
        """The status of a review. Raises ClusterUnavailable, ClusterRefused."""
        manifest = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "metadata": {},
            "spec": {"token": token, "audiences": list(audiences)},
        }
        made = await self._client.create(TOKEN_REVIEWS, manifest, "")
        status = made.get("status")
        return status if isinstance(status, dict) else {}
