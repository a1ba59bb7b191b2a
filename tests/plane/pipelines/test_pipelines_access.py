"""KFP's settings of object stores: which credentials and endpoint count for which object."""

from __future__ import annotations

import pytest

from fairlead_plane.artifacts.access import Access, AccessError, access_of
from fairlead_plane.artifacts.objects import Store, StoreError
from fairlead_plane.artifacts.places import Place, remote

PROVIDERS = """
s3:
  default:
    endpoint: s3.example.com
    region: eu-west-1
    credentials: {fromEnv: true}
  overrides:
  - bucketName: team
    keyPrefix: private/data
    endpoint: minio.example.com:9000
    disableSSL: true
    credentials: {secretRef: {secretName: team, accessKeyKey: key, secretKeyKey: secret}}
gs:
  default:
    credentials: {secretRef: {secretName: google, tokenKey: token}}
"""


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://other/x", Access("https://s3.example.com", "eu-west-1")),
        ("s3://team/private", Access("https://s3.example.com", "eu-west-1")),
        ("s3://team/private/database", Access("https://s3.example.com", "eu-west-1")),
        (
            "s3://team/private/data/x",
            Access("http://minio.example.com:9000", "eu-west-1", "team", ("key", "secret")),
        ),
        ("gs://any/x", Access(secret_name="google", keys=("token",))),
        (
            "minio://any/x",
            Access(
                secret_name="mlpipeline-minio-artifact",
                keys=("accesskey", "secretkey"),
                optional=True,
            ),
        ),
    ],
)
def test_the_most_special_setting_counts(uri, expected):
    assert access_of(remote(uri), PROVIDERS) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "kfp-launcher: providers: no YAML"),
        ("[]", "kfp-launcher: providers must be an object"),
        ("s3: 1", "providers.s3 must be an object"),
        ("s3: {default: {}}", "s3.default.credentials.secretRef: `secretName` is missing"),
        (
            "s3: {default: {credentials: {secretRef: {secretName: a, accessKeyKey: b}}}}",
            "`secretKeyKey` is missing",
        ),
    ],
)
def test_settings_that_are_wrong_are_said_with_their_field(text, words):
    with pytest.raises(AccessError) as caught:
        access_of(Place("s3", "bucket", "x"), text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://bucket/a/b", "/s3/bucket/a/b"),
        ("gs://bucket/a/", "/gcs/bucket/a"),
        ("minio://bucket", "/minio/bucket"),
    ],
)
def test_objects_are_seen_where_kfps_launcher_shows_them(uri, path):
    assert remote(uri).path == path


@pytest.mark.parametrize("uri", ["/a/b", "file:///a", "hf://org/model", "s3://", "oci://a/b", ""])
def test_what_is_no_object_of_a_known_store_is_none(uri):
    assert remote(uri) is None


def test_a_store_that_nobody_may_read_is_said_and_not_asked():
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID") as caught:
        Store(Place("s3", "bucket", "x"), Access(), (), {})
    assert "mlpipeline-minio-artifact" in str(caught.value)
