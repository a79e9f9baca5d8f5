"""The criterion of whether a mixture avoids superposition, for independent and for clustered features."""

from experiments.core.criteria import Above, Below, Criterion, Every, Some, refuted_if, supported_if, where

AVOIDS = Criterion(
    supported_if(where(scores=Some(each=Below(1.0), of="model"))),
    refuted_if(where(scores=Every(each=Above(1.0), of="model"))),
    names={"scores": "the larger of the two ratios"},
)
